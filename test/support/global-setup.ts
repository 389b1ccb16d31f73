import { mkdtempSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '../../src/database/embedded-postgres';

declare global {
  var testServer: { readonly directory: string; readonly postgres: EmbeddedPostgres } | undefined;
}

/** One throw-away PostgreSQL server for the whole run; each test file has a database of its own. */
export default async function globalSetup(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'uas-test-'));
  // Started by root, the server runs as another user, who has to pass.
  await chmod(directory, 0o711);
  const postgres = await EmbeddedPostgres.start(directory, { durable: false });
  globalThis.testServer = { directory, postgres };
  process.env['TEST_PG_HOST'] = postgres.host;
  process.env['TEST_PG_PASSWORD'] = postgres.password;
}
