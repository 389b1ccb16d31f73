import { createMigratedDatabase, type TestDatabase } from './support/database';
import { signUp } from './support/client';
import { PUBLIC_URL, TestMailServer } from './support/mail-server';
import { type RunningService, startServiceOn } from './support/service';

let database: TestDatabase;
let server: TestMailServer;
let service: RunningService;

beforeAll(async () => {
  [database, server] = await Promise.all([createMigratedDatabase(), TestMailServer.start()]);
  service = await startServiceOn(database, server.environment);
});

afterAll(async () => {
  await service.stop();
  await server.stop();
  await database.drop();
});

describe('a mail', () => {
  it('arrives, with a link, a code and what to do', async () => {
    await signUp(service, 'hana');
    const [{ email }] = (await database.query('SELECT email FROM "user"')) as [{ email: string }];
    const first = await server.waitForMail(email);
    expect(first.link).toContain(PUBLIC_URL);
  });
});
