import pg from 'pg'
import type { Item, NewItem } from '../../items.ts'
import { type ItemStore, POOL_SIZE, StaleVersion, type Target } from '../store.ts'
import { ITEMS_TABLE } from './table.ts'

const COLUMNS = `id, group_id as "groupId", name, email, active, score, created_at as "createdAt", version`

const byId = `select ${COLUMNS} from items where id = $1`
const byGroup = `select ${COLUMNS} from items where group_id = $1 order by id`
const insertOne = `
  insert into items (group_id, name, email, active, score, created_at) values ($1, $2, $3, $4, $5, $6) returning id`
const updateOne = `
  update items set name = $1, score = $2, version = version + 1 where id = $3 and version = $4 returning ${COLUMNS}`
const insertAll = `
  insert into items (group_id, name, email, active, score, created_at)
  select * from unnest($1::int[], $2::text[], $3::text[], $4::boolean[], $5::float8[], $6::timestamptz[]) returning id`
const setScore = 'update items set score = $1, version = version + 1 where id = $2'
const deleteOne = 'delete from items where id = $1'

/** `pg` with named statements, which the server prepares once a connection: the 1.00 of Postgres. Its types decode the rows. */
export async function open(target: Target): Promise<ItemStore> {
  const pool = new pg.Pool({ connectionString: target.url, max: POOL_SIZE })
  await pool.query(ITEMS_TABLE)
  return {
    async getById(id) {
      const { rows } = await pool.query<Item>({ name: 'by id', text: byId, values: [id] })
      return rows[0] ?? null
    },
    async findByGroup(groupId) {
      const { rows } = await pool.query<Item>({ name: 'by group', text: byGroup, values: [groupId] })
      return rows
    },
    async insert(item) {
      const { rows } = await pool.query<{ id: number }>({ name: 'insert', text: insertOne, values: valuesOf(item) })
      return { id: rows[0]!.id, ...item, version: 1 }
    },
    async update(id, version, { name, score }) {
      const { rows } = await pool.query<Item>({ name: 'update', text: updateOne, values: [name, score, id, version] })
      if (rows[0] === undefined) throw new StaleVersion()
      return rows[0]
    },
    async insertMany(items) {
      const columns: unknown[][] = [[], [], [], [], [], []]
      for (const item of items) for (const [at, value] of valuesOf(item).entries()) columns[at]!.push(value)
      const { rows } = await pool.query<{ id: number }>({ name: 'insert all', text: insertAll, values: columns })
      return items.map((item, index) => ({ id: rows[index]!.id, ...item, version: 1 }))
    },
    async threeWrites(item, changedId, score, deletedId) {
      const client = await pool.connect()
      try {
        await client.query('begin')
        const { rows } = await client.query<{ id: number }>({ name: 'insert', text: insertOne, values: valuesOf(item) })
        await client.query({ name: 'set score', text: setScore, values: [score, changedId] })
        await client.query({ name: 'delete', text: deleteOne, values: [deletedId] })
        await client.query('commit')
        return rows[0]!.id
      } catch (error) {
        await client.query('rollback')
        throw error
      } finally {
        client.release()
      }
    },
    async removeAbove(id) {
      await pool.query('delete from items where id > $1', [id])
    },
    close: () => pool.end(),
  }
}

function valuesOf({ groupId, name, email, active, score, createdAt }: NewItem): unknown[] {
  return [groupId, name, email, active, score, createdAt]
}
