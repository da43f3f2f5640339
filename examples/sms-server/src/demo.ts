/** `npm run demo`: plays the sources, ingests them, builds the city, and shows what came of it; then again, after a change. */
import { parseArgs, styleText } from 'node:util'
import { openStorage } from 'holdfast'
import { build } from './carpenter.ts'
import { CitySources } from './demo/city-sources.ts'
import { ingest } from './ingest.ts'
import { schema } from './schema.ts'
import { sources } from './sources/index.ts'

const { values } = parseArgs({ options: { storage: { type: 'string', default: 'memory:' } } })

await using city = await CitySources.start()
await using storage = await openStorage(values.storage, { schema })

heading('The sources list their events, the carpenter builds the city')
await fetchAndBuild()

heading('A concert moves to another stage, another is no longer listed, and two entries cannot be read')
city.harbour = `number,stage,date,time,name,line_up
H1,Crane Stage,2027-05-01,18:30,Open Air,Ada Moon; Oslo Brass
H3,Crane Stage,soon,21:00,Nobody knows,
`
city.whatsOn = { ...city.whatsOn, 'gig-8': { where: { name: 'Café Zoë' }, headline: 'Called off' } }
await fetchAndBuild()

heading('How Kim Lee hangs together with Oslo Brass')
const path = await storage.graph('city').shortestPath('artist:kim-lee', 'artist:oslo-brass', {
  relations: ['performs_at', 'hosts'],
  direction: 'both',
})
console.log(path === null ? '  not at all' : `  ${path.nodes.map(({ id }) => id).join(' – ')}`)

async function fetchAndBuild(): Promise<void> {
  for (const source of sources.values()) {
    const { seen, stored, withdrawn } = await ingest(storage, source, city.url)
    console.log(`  ${source.name.padEnd(10)} lists ${seen}, ${stored} of them new or changed; ${withdrawn} no longer`)
  }
  const { id, data } = await build(storage)
  console.log(`  built ${data.built}, refused ${data.refused}:`)
  const { items } = await storage.graph('city').neighbors(id, { relation: 'has_record', label: 'carpenter_record' })
  for (const { data: change } of items) {
    console.log(
      `    ${change.action.padEnd(8)} ${change.subject}  ${styleText('dim', change.detail.split('\n')[0] ?? '')}`,
    )
  }
}

function heading(text: string): void {
  console.log(`\n${styleText('bold', text)}\n`)
}
