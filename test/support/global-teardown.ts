import { rm } from 'node:fs/promises';

export default async function globalTeardown(): Promise<void> {
  await globalThis.testServer?.postgres.release();
  if (globalThis.testServer) await rm(globalThis.testServer.directory, { recursive: true });
}
