import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RECORDED } from '../contract/recorded';
import { createDatabase, tableOfUsers, type TestDatabase } from '../support/database';
import { describeWithReference, startReference } from '../support/reference';
import type { RunningService } from '../support/service';
import { ask } from './answer';

describeWithReference('the reference that the tests bring', (python) => {
  let database: TestDatabase;
  let reference: RunningService;

  beforeAll(async () => {
    database = await createDatabase();
    reference = await startReference(python, database);
  });

  afterAll(async () => {
    await reference.stop();
    await database.drop();
  });

  it('makes the table that the real one left behind', async () => {
    const left = await createDatabase();
    await left.query(readFileSync(join(__dirname, '../fixtures/fastapi-database.sql'), 'utf8'));
    expect(await tableOfUsers(database)).toEqual(await tableOfUsers(left));
    await left.drop();
  });

  it.each(RECORDED.map((row) => [row.name, row] as const))(
    'answers as the real one did: %s',
    async (_name, { request: { path, ...init }, response }) => {
      expect(await ask(reference, path, init)).toEqual(response);
    },
  );
});
