import { mkdtempSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
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
  const { host, user, password, database } = postgres;
  // As whom the service logs in: it has what the migrations give it, and nothing else.
  const client = new Client({ host, user, password, database });
  await client.connect();
  await client.query(`CREATE ROLE test_service LOGIN PASSWORD '${password}'`);
  await client.end();
  process.env['TEST_PG_HOST'] = host;
  process.env['TEST_PG_PASSWORD'] = password;
}
