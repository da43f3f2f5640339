import { Command, CommanderError } from 'commander'
import { describeFailure, EXIT } from './exit.ts'
import { migrateCommand } from './migrate.ts'
import { outputTo, type Streams } from './output.ts'
import type { RunCommand } from './run-command.ts'

/** Runs the command line, without the program's name, and gives its exit code. Never rejects. */
export async function runProgram(words: readonly string[], streams: Streams): Promise<number> {
  let code: number = EXIT.done
  const run: RunCommand = async ({ json = false }, action) => {
    const output = outputTo(streams, json)
    try {
      code = await action(output)
    } catch (error) {
      const failure = describeFailure(error)
      if (json) streams.out.write(`${JSON.stringify({ error: failure })}\n`)
      else
        streams.err.write(`${output.colours.bad(failure.message)}\n${failure.hint === '' ? '' : `${failure.hint}\n`}`)
      code = EXIT.failed
    }
  }
  const program = new Command('holdfast').description('Holdfast from the command line').showHelpAfterError()
  program.addCommand(migrateCommand(run, streams))
  for (const command of [program, ...program.commands.flatMap((one) => [one, ...one.commands])]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void streams.out.write(text),
      writeErr: (text) => void streams.err.write(text),
    })
  }
  try {
    await program.parseAsync(words, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    streams.err.write(`${describeFailure(error).message}\n`)
    return EXIT.failed
  }
}
