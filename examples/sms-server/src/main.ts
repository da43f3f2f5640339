/** `node src/main.ts --use-database --storage sqlite:./sms.db --sources http://localhost:4000`: the server as a program. */
import { parseArgs } from 'node:util'
import { isHoldfastError } from 'holdfast'
import { type Server, startServer } from './server.ts'

const help = `Usage: npm start -- [options]
  --sources <url>      where the sources answer
  --use-database       keep everything in a database; without it, in memory, until the program ends
  --storage <target>   which database: sqlite:./sms.db (unless STORAGE_URL says otherwise), postgres://…; it implies --use-database
  --host <address>     127.0.0.1
  --port <number>      3000`

const { values } = parseArgs({
  options: {
    sources: { type: 'string' },
    'use-database': { type: 'boolean', default: false },
    storage: { type: 'string' },
    host: { type: 'string' },
    port: { type: 'string', default: '3000' },
    help: { type: 'boolean' },
  },
})

if (values.help) console.log(help)
else await run()

async function run(): Promise<void> {
  try {
    const { sources, host } = values
    if (sources === undefined) throw new TypeError('--sources must say where the sources answer')
    if (!/^\d{1,5}$/.test(values.port)) throw new TypeError(`--port must be a whole number, got ${values.port}`)
    const server = await startServer({ storage: target(), sources, host, port: Number(values.port) })
    stopWithSignals(server)
    console.log(`Listening at ${server.url}`)
  } catch (error) {
    console.error(isHoldfastError(error) ? `${error.message} ${error.hint}` : String(error))
    process.exitCode = 1
  }
}

function target(): string {
  if (values.storage !== undefined) return values.storage
  return values['use-database'] ? (process.env['STORAGE_URL'] ?? 'sqlite:./sms.db') : 'memory:'
}

function stopWithSignals(server: Server): void {
  const stop = async () => {
    for (const signal of signals) process.off(signal, stop) // A second signal ends the process at once.
    await server.close()
  }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.on(signal, stop)
}
