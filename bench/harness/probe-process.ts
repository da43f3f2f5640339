/** The process that `probe` starts: calls one function and reports. */
process.once('message', ({ module, name, args }: { module: string; name: string; args: readonly unknown[] }) => {
  call(module, name, args).then(
    (value) => process.send?.({ value }),
    (error: unknown) => process.send?.({ reason: error instanceof Error ? error.stack : String(error) }),
  )
})

async function call(module: string, name: string, args: readonly unknown[]): Promise<unknown> {
  const functions = (await import(module)) as Record<string, (...args: readonly unknown[]) => unknown>
  return functions[name]?.(...args)
}
