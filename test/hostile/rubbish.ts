import fc from 'fast-check'
import { avg, count, dateTrunc, increment, max, sum } from '../../packages/holdfast/src/index.ts'

/** A value no program should pass, made anew for each call, since some change when they are looked at. */
export interface Rubbish {
  make(): unknown
}

function rubbish(name: string, make: () => unknown): Rubbish {
  return Object.assign({ make }, { [fc.toStringMethod]: () => name })
}

function broken(): never {
  throw new Error('looked at')
}

const traps = { get: broken, has: broken, ownKeys: broken, getPrototypeOf: broken, getOwnPropertyDescriptor: broken }

class Own {
  id = 1
}

/** What `fc.anything()` does not think of. */
const curious: readonly Rubbish[] = [
  rubbish('undefined', () => undefined),
  rubbish('null', () => null),
  rubbish('NaN', () => Number.NaN),
  rubbish('-Infinity', () => Number.NEGATIVE_INFINITY),
  rubbish('-0', () => -0),
  rubbish('2 ** 53', () => 2 ** 53),
  rubbish('5e-324', () => 5e-324),
  rubbish('a bigint of 70 bits', () => 2n ** 70n),
  rubbish('a symbol', () => Symbol('s')),
  rubbish('a function', () => () => 1),
  rubbish('a class', () => Own),
  rubbish('an instance of a class', () => new Own()),
  rubbish('a Date of another class', () => new (class Day extends Date {})(0)),
  rubbish('a Date with a broken getTime', () => Object.assign(new Date(0), { getTime: broken })),
  rubbish('an invalid Date', () => new Date(Number.NaN)),
  rubbish('an object that says it is a Date', () => Object.create(Date.prototype)),
  rubbish('a Map', () => new Map([['id', 1]])),
  rubbish('a Set', () => new Set([1])),
  rubbish('a boxed text', () => new String('a')),
  rubbish('a boxed number', () => new Number(1)),
  rubbish('a RegExp', () => /(a+)+$/),
  rubbish('an Error', () => new Error('e')),
  rubbish('an ArrayBuffer', () => new ArrayBuffer(2)),
  rubbish('floats', () => new Float64Array([Number.NaN])),
  rubbish('a Buffer', () => Buffer.from('a')),
  rubbish('a promise', () => Promise.resolve(1)),
  // biome-ignore lint/suspicious/noThenProperty: what is awaited must not be taken for a promise.
  rubbish('a thenable', () => ({ then: (resolve: (value: unknown) => void) => resolve(1) })),
  rubbish('a generator', () =>
    (function* () {
      yield 1
    })(),
  ),
  rubbish('a list with a hole', () => Object.assign([1], { 2: 3 })),
  rubbish('a long list of holes', () => new Array(1000)),
  rubbish('a list of another class', () => new (class Rows extends Array {})()),
  rubbish('an object that looks like a list', () => ({ length: 1, 0: 'a' })),
  rubbish('a list that holds itself', () => {
    const list: unknown[] = []
    list.push(list)
    return list
  }),
  rubbish('an object that holds itself', () => {
    const object: Record<string, unknown> = { id: 1 }
    object['self'] = object
    object['and'] = [object]
    return object
  }),
  rubbish('a deep object', () => {
    let deep: object = {}
    for (let level = 0; level < 20_000; level++) deep = { a: deep }
    return deep
  }),
  rubbish('a deep list', () => {
    let deep: unknown[] = []
    for (let level = 0; level < 20_000; level++) deep = [deep]
    return deep
  }),
  rubbish('a long text', () => 'x'.repeat(200_000)),
  rubbish('a text with NUL', () => 'a\0b'),
  rubbish('a lone surrogate', () => '\ud800'),
  rubbish('an emoji', () => '😀'),
  rubbish('SQL', () => `'; drop table rows; --"`),
  rubbish('a path', () => 'data.a.b[*].**."?\\'),
  rubbish('__proto__', () => '__proto__'),
  rubbish('constructor', () => 'constructor'),
  rubbish('an own __proto__', () => JSON.parse('{"__proto__": {"id": 1}, "constructor": 1}')),
  rubbish('an object without a prototype', () => Object.assign(Object.create(null), { id: 1 })),
  rubbish('an object that inherits', () => Object.create({ id: 1, int: 1 })),
  rubbish('a broken getter', () => Object.defineProperty({}, 'id', { enumerable: true, get: broken })),
  rubbish('a getter that changes', () => {
    let looked = 0
    return Object.defineProperty({}, 'id', { enumerable: true, get: () => (looked++ === 0 ? 7 : 'changed') })
  }),
  rubbish('a broken proxy', () => new Proxy({}, traps)),
  rubbish('a broken proxy of a list', () => new Proxy([], traps)),
  rubbish('a broken proxy of a function', () => new Proxy(() => 1, traps)),
  rubbish('a revoked proxy', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  }),
  rubbish('an object without a name for its class', () => ({ constructor: { name: Symbol('n') } })),
  rubbish('a broken constructor', () => Object.defineProperty(new Own(), 'constructor', { get: broken })),
  rubbish('a broken toString', () => ({ toString: broken, valueOf: broken, toJSON: broken })),
  rubbish('a broken toPrimitive', () => ({ [Symbol.toPrimitive]: broken })),
  rubbish('an object with symbols', () => ({ [Symbol('s')]: 1 })),
  rubbish('an operator', () => ({ gt: '' })),
  rubbish('increment()', () => increment(1)),
  rubbish('increment of rubbish', () => increment({} as never)),
  rubbish('count()', () => count()),
  rubbish('an aggregate of rubbish', () => sum(Symbol('s') as never)),
  rubbish('an aggregate of no field', () => avg(undefined as never)),
  rubbish('an aggregate of an object', () => max({ toString: broken } as never)),
  rubbish('a bucket of rubbish', () => dateTrunc('aeon' as never, null as never)),
]

/** Anything at all, and what is most likely to be taken for something else. */
export const anyRubbish: fc.Arbitrary<Rubbish> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...curious) },
  {
    weight: 2,
    arbitrary: fc
      .anything({
        maxDepth: 3,
        withBigInt: true,
        withBoxedValues: true,
        withDate: true,
        withMap: true,
        withNullPrototype: true,
        withObjectString: true,
        withSet: true,
        withSparseArray: true,
        withTypedArray: true,
        withUnicodeString: true,
      })
      .map((value) => rubbish(fc.stringify(value), () => value)),
  },
)
