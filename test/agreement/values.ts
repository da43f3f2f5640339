import fc from 'fast-check'

const texts = [
  '',
  'a',
  'A',
  'á',
  'ab',
  'abc',
  'b%',
  '_',
  '\u{1F600}',
  '\uFB01',
  'a\u{10FFFF}',
  '\u{10FFFF}',
  '"',
  "'",
  '\\',
  ' a',
  '\u0001',
  '\uD7FF',
]
export const text = fc.constantFrom(...texts)
export const integer = fc.constantFrom(0, 1, -1, 2, 5, 999_999, Number.MIN_SAFE_INTEGER)
export const bigint = fc.constantFrom(0n, 1n, -1n, 2n ** 62n, -(2n ** 63n), 2n ** 53n + 1n)
export const real = fc.constantFrom(0, 0.1, -0.5, 1e21, 1e-300, 1 / 3, -7, 2 ** 60)
export const decimal = fc.constantFrom('0.00', '0.10', '-0.05', '12.50', '9999.99', '-9999.99', '3')
export const at = fc
  .constantFrom(
    '1969-12-31T23:59:59.999Z',
    '1970-01-01T00:00:00.000Z',
    '2024-02-29T12:30:30.500Z',
    '2024-12-30T00:00:00.001Z',
    '0001-01-01T00:00:00.000Z',
    '9999-12-31T23:59:59.999Z',
  )
  .map((iso) => new Date(iso))
export const day = fc.constantFrom('2024-02-29', '0001-01-01', '9999-12-31')
export const uuid = fc.constantFrom(
  '00000000-0000-4000-8000-000000000000',
  'ffffffff-ffff-4fff-bfff-ffffffffffff',
  '0a0a0a0a-0000-4000-8000-00000000000a',
)
export const bytes = fc.constantFrom([], [0], [0, 1], [255], [97]).map((list) => Uint8Array.from(list))
export const kind = fc.constantFrom('a' as const, "b'" as const, 'C' as const)
export const scalar = fc.oneof(
  fc.constantFrom('', 'a', '1', 'true', 'null', '[1]', '\u{1F600}', '\uFB01'),
  fc.constantFrom(0, 1, -1, 0.1, 2, 1e21, 2 ** 60, 123456789012345680000),
  fc.boolean(),
)
export const json = fc.oneof(
  scalar,
  fc.constant(null),
  fc.array(fc.oneof(scalar, fc.constant(null)), { maxLength: 3 }),
  fc.constantFrom({}, { z: 'a' }, { z: 1 }, { z: null }, { '0': 'a' }),
)
const keys = ['x', 'y', "it's", 'a"b', 'a\\b', '$', '*', '[0]', '#-1', '\u{1F600}']
export const data = fc.oneof(
  { weight: 4, arbitrary: fc.dictionary(fc.constantFrom(...keys), json, { maxKeys: 4 }) },
  { weight: 1, arbitrary: fc.array(json, { maxLength: 2 }) },
)
