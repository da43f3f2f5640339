import { describe, expect, it } from 'vitest'
import { assertInTransaction } from './sql-text.ts'

describe('SQL of a migration', () => {
  it.each([
    'commit',
    'update a set b = 1; COMMIT; update a set b = 2',
    '-- a comment\n/* another */ rollback',
    "insert into a values ('it''s; fine'); begin",
    'start transaction isolation level serializable',
    "prepare transaction 'x'",
    'select 1; end;',
    'savepoint a',
    'create trigger t after insert on a begin update a set b = 1; end; commit',
    'do $$ begin perform 1; end $$; abort',
    'select $a$ ; commit $b$ $a$; rollback',
  ])('may not end its transaction: %s', (text) => {
    expect(() => assertInTransaction(text, 'postgres')).toThrow(/The SQL of a step says/)
    expect(() => assertInTransaction(text, 'sqlite')).toThrow(/leave out|says/)
  })

  it.each([
    "insert into a values ('x; commit')",
    'update "commit" set "end" = 1 -- commit',
    'create trigger t after insert on a begin update a set b = case when c then 1 else 2 end; delete from d; end',
    'create temp trigger if not exists t after insert on a begin select 1; end; select 2',
    'do $$ begin perform 1; commit; end $$',
    'create or replace function f() returns int begin atomic select 1; select 2; end; select 3',
    'create function f() returns int as $body$ begin return 1; end $body$ language plpgsql',
    'update a set rollback = 1, started = 2',
    '',
    ' ; ; -- nothing',
  ])('may be anything else: %s', (text) => {
    expect(() => assertInTransaction(text, 'postgres')).not.toThrow()
  })

  it('makes no index concurrently on Postgres, and says how', () => {
    const text = 'create unique index concurrently a_b on a (b)'
    expect(() => assertInTransaction(text, 'postgres')).toThrow(/concurrently/)
    expect(() => assertInTransaction('select concurrently from a', 'sqlite')).not.toThrow()
  })
})
