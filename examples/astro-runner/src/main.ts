/** `node src/main.ts --storage sqlite:./astro.db --port 3000`: the runner as a program. */
import { parseArgs } from 'node:util'
import { isHoldfastError } from 'holdfast'
import { type Runner, startRunner } from './runner.ts'

const help = `Usage: npm start -- [options]
  --storage <target>   memory:, sqlite:./astro.db, postgres://…; else STORAGE_URL or STORAGE_BACKEND says where
  --host <address>     127.0.0.1
  --port <number>      3000
  --workers <number>   how many checks run at once; 8 (0: this process only answers requests)
  --lease-ms <number>  when a check is taken over from a process that died; 30000`

const { values } = parseArgs({
  options: {
    storage: { type: 'string' },
    host: { type: 'string' },
    port: { type: 'string', default: '3000' },
    workers: { type: 'string', default: '8' },
    'lease-ms': { type: 'string', default: '30000' },
    help: { type: 'boolean' },
  },
})

if (values.help) console.log(help)
else await run()

async function run(): Promise<void> {
  try {
    const { storage, host } = values
    const [port, workers, leaseMs] = [wholeNumber('port'), wholeNumber('workers'), wholeNumber('lease-ms')]
    const runner = await startRunner({ storage, host, port, workers, leaseMs })
    stopWithSignals(runner)
    if (process.send) process.send({ url: runner.url })
    else console.log(`Listening at ${runner.url}`)
  } catch (error) {
    console.error(isHoldfastError(error) ? `${error.message} ${error.hint}` : String(error))
    process.exitCode = 1
  }
}

function wholeNumber(name: 'port' | 'workers' | 'lease-ms'): number {
  const text = values[name]
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new TypeError(`--${name} must be a whole number, got ${text}`)
}

function stopWithSignals(runner: Runner): void {
  const stop = async () => {
    for (const event of events) process.off(event, stop) // A second signal ends the process at once.
    await runner.close()
    if (process.connected) process.disconnect()
  }
  const events = ['SIGINT', 'SIGTERM', 'disconnect'] as const // disconnect: the process that started this one is gone.
  for (const event of events) process.on(event, stop)
}
