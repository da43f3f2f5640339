import { Command } from 'commander'
import { addApplying } from './applying.ts'
import { addComparing } from './comparing.ts'
import { EXIT } from './exit.ts'
import { type GenerateOptions, generate } from './generate.ts'
import type { Streams } from './output.ts'
import type { AddCommand, RunCommand } from './run-command.ts'
import { addUpkeep } from './upkeep.ts'

/** The commands of `holdfast migrate`. */
export function migrateCommand(run: RunCommand, streams: Streams): Command {
  const migrate = new Command('migrate').description('take a database from one schema to the next, and back')
  const command: AddCommand = (name, description) =>
    migrate
      .command(name)
      .description(description)
      .option('--storage <url>', 'the database; the variable STORAGE_URL unless given')
      .option('--schema <path>', 'the module that exports the schema')
      .option('--dir <folder>', 'the folder of the migrations', 'migrations')
      .option('--json', 'print one JSON document')

  command('generate', 'write the migration that leads to the schema in the code')
    .argument('<name>', 'what it does, in a word or two')
    .option('--rename <old:new...>', 'what is called otherwise: users:people, people.name:fullName', [])
    .option('--empty', 'write one without steps')
    .action((name: string, options: GenerateOptions) =>
      run(options, async (output) => {
        const path = await generate(name, options, output, streams)
        output.result({ path }, [path === null ? 'The schema has not changed.' : path])
        return EXIT.done
      }),
    )
  addApplying(command, run)
  addComparing(command, run)
  addUpkeep(command, run)
  return migrate
}
