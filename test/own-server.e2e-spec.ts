import { execFileSync } from 'node:child_process';
import { form, logIn, logInWith, PASSWORD, signUp, statusWith } from './support/client';
import { DebianPostgres } from './support/debian-postgres';
import {
  type RunningService,
  startService,
  TEST_SECRET_KEY,
  waitUntil,
  waitUntilReady,
} from './support/service';

(DebianPostgres.isThere ? describe : describe.skip)("on somebody's own PostgreSQL", () => {
  let postgres: DebianPostgres;

  beforeAll(async () => {
    postgres = await DebianPostgres.start();
  });

  afterAll(() => postgres.remove());

  async function start(environment: Record<string, string>): Promise<RunningService> {
    const service = await startService({ SECRET_KEY: TEST_SECRET_KEY, ...environment });
    await waitUntilReady(service);
    return service;
  }

  /** As `npm run migration:run` does, with this environment. */
  function migrate(environment: Record<string, string>): void {
    execFileSync(
      process.execPath,
      ['node_modules/.bin/typeorm', 'migration:run', '-d', 'dist/ormconfig.js'],
      { env: { PATH: process.env['PATH'], ...environment }, stdio: 'pipe' },
    );
  }

  it('connects by TLS, if the certificate is one that it trusts', async () => {
    const service = await startService({
      SECRET_KEY: TEST_SECRET_KEY,
      ...postgres.environment(),
      NODE_EXTRA_CA_CERTS: '',
    });
    await waitUntil(() => Promise.resolve(service.output().includes('SELF_SIGNED_CERT')));
    expect((await service.fetch('/health/ready')).status).toBe(503);
    await service.stop();

    migrate(postgres.environment());
    const trusting = await start(postgres.environment());
    const connections = await postgres.query<{ ssl: boolean }>(
      `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'user-account-service'`,
    );
    expect(connections.length).toBeGreaterThan(0);
    expect(connections.every(({ ssl }) => ssl)).toBe(true);
    await trusting.stop();
  });

  it('is backed up, lost and restored: passwords, logins and tokens are what they were', async () => {
    await postgres.query('CREATE DATABASE accounts');
    const environment = postgres.environment('accounts');
    migrate(environment);
    const service = await start(environment);
    const token = await signUp(service, 'hana');
    const { refresh_token = '' } = await logInWith(service, {
      username: 'hana',
      scope: 'offline_access',
    });
    const ended = await logIn(service, 'hana', PASSWORD);
    await statusWith(service, ended, '/user/logout', { method: 'POST' });
    // While the service is running.
    const dump = postgres.run('pg_dump', ['-Fc', 'accounts']);

    await postgres.query('DROP DATABASE accounts WITH (FORCE)');
    expect(await statusWith(service, token)).toBe(503);
    await postgres.query('CREATE DATABASE accounts');
    postgres.run('pg_restore', ['-d', 'accounts', '--exit-on-error'], dump);

    // The one that was there finds it again, and so does another.
    await waitUntilReady(service);
    const another = await start(environment);
    for (const one of [service, another]) {
      expect(await statusWith(one, token)).toBe(200);
      expect(await statusWith(one, ended)).toBe(401);
      await logIn(one, 'hana', PASSWORD);
    }
    const refreshed = await another.fetch(
      '/user/token',
      form({ grant_type: 'refresh_token', refresh_token }),
    );
    expect(refreshed.status).toBe(200);
    // Whoever comes next does not get a number that somebody has.
    await signUp(another, 'minsu');
    await Promise.all([service.stop(), another.stop()]);
  });
});
