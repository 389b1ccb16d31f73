import {
  ask,
  expectRightAgain,
  expectUnavailable,
  type Requests,
  times,
  UNAVAILABLE,
} from '../support/answers';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bearer,
  form,
  logIn,
  logInWith,
  PASSWORD,
  post,
  registration,
  signUp,
  statusWith,
} from '../support/client';
import { FaultProxy } from '../support/fault-proxy';
import { OwnPostgres } from '../support/own-postgres';
import {
  type RunningService,
  startService,
  TEST_SECRET_KEY,
  waitUntil,
  waitUntilReady,
} from '../support/service';

/** People who sign up, one after the other, eight at a time, until it ends. */
class Storm {
  private readonly created: string[] = [];
  /** What was answered; 0 for nothing. */
  private readonly statuses = new Set<number>();
  private going = true;
  private readonly people: Promise<void>[];

  constructor(name: string, service: () => RunningService) {
    this.people = times(8, async (person) => {
      for (let i = 0; this.going; i += 1) {
        const username = `${name} ${String(person)} ${String(i)}`;
        const status = await ask(service(), '/user/create', registration(username)).then(
          (answer) => answer.status,
          () => 0,
        );
        this.statuses.add(status);
        if (status === 204) this.created.push(username);
      }
    });
  }

  /** Waits until it has done something, from now on. */
  async blowing(): Promise<void> {
    const before = this.created.length;
    await waitUntil(() => Promise.resolve(this.created.length > before + 20));
  }

  async end(): Promise<{ created: readonly string[]; statuses: ReadonlySet<number> }> {
    this.going = false;
    await Promise.all(this.people);
    return { created: this.created, statuses: this.statuses };
  }
}

/** A file system of its own that is soon full. */
class FullDisk {
  private constructor(readonly directory: string) {}

  /** @param uid of the account that may write there */
  static mount(uid: number): FullDisk {
    const directory = mkdtempSync(join(tmpdir(), 'uas-full-'));
    const options = `size=2m,mode=0700,uid=${String(uid)}`;
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', directory], { stdio: 'pipe' });
    } catch (error) {
      rmdirSync(directory);
      throw error;
    }
    return new FullDisk(directory);
  }

  async fill(): Promise<void> {
    await writeFile(join(this.directory, 'filler'), Buffer.alloc(2 ** 21)).catch(
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      },
    );
  }

  async empty(): Promise<void> {
    await rm(join(this.directory, 'filler'));
  }

  unmount(): void {
    execFileSync('umount', [this.directory]);
    rmdirSync(this.directory);
  }
}

const whereDisksCanBeFull = ((): typeof it.skip => {
  try {
    FullDisk.mount(0).unmount();
    return it;
  } catch (error) {
    process.stderr.write(`skipped: a full disk (it is mounted, as root: ${String(error)})\n`);
    return it.skip;
  }
})();

describe('a database that breaks', () => {
  let postgres: OwnPostgres;
  let service: RunningService;
  let token: string;

  beforeAll(async () => {
    postgres = await OwnPostgres.start();
    service = await start();
    token = await signUp(service, 'hana');
  });

  afterAll(async () => {
    await service.stop();
    await postgres.remove();
  });

  async function start(environment: Record<string, string> = {}): Promise<RunningService> {
    const settings = {
      ...postgres.environment,
      SECRET_KEY: TEST_SECRET_KEY,
      // All of it comes from one address.
      RATE_LIMIT: 'off',
      ...environment,
    };
    const started = await startService(settings);
    await waitUntilReady(started);
    return started;
  }

  /** Every kind of request that needs the database. */
  function everything(name: string): Requests {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const change = { current_password: PASSWORD, password1: 'x horse 10', password2: 'x horse 10' };
    return [
      ['/health/ready', {}],
      ['/user/me', bearer(token)],
      ['/user/sessions', bearer(token)],
      ['/user/login', form({ username: 'hana', password: PASSWORD })],
      ['/user/login', form({ username: 'nobody', password: PASSWORD })],
      ['/user/token', form({ grant_type: 'refresh_token', refresh_token: 'x'.repeat(43) })],
      ['/user/create', registration(`${name} 1`)],
      ['/user/create', registration(`${name} 2`)],
      ['/user/password', { ...post(change), headers }],
      ['/user/me', { ...post({ username: `${name} 3` }), headers, method: 'PATCH' }],
      ['/user/delete', { ...post({ password: PASSWORD }), headers }],
      ['/user/logout', { method: 'POST', ...bearer(token) }],
      ['/user/sessions', { method: 'DELETE', ...bearer(token) }],
    ];
  }

  /** Everything that is stored, without when a login was used last. */
  async function stored(): Promise<unknown> {
    return postgres.query(
      `SELECT (SELECT json_agg(u ORDER BY id) FROM "user" u)::text AS users,
              (SELECT json_agg(id ORDER BY id) FROM user_session)::text AS sessions,
              (SELECT json_agg(t ORDER BY hash) FROM refresh_token t)::text AS tokens,
              (SELECT json_agg(t ORDER BY digest) FROM revoked_token t)::text AS revoked`,
    );
  }

  it('frozen, is not waited for, by however many, and nothing that was asked for happens later', async () => {
    const before = await stored();
    const thaw = postgres.freeze();
    try {
      // More than the pool has connections.
      await expectUnavailable(service, times(5, () => everything('frozen')).flat());
    } finally {
      thaw();
    }
    await expectRightAgain(service, token);
    expect(await stored()).toEqual(before);
  });

  describe('beyond a network', () => {
    let network: FaultProxy;
    let distant: RunningService;

    beforeAll(async () => {
      network = await FaultProxy.before(postgres.socket);
      distant = await start(network.environment);
    });

    afterAll(async () => {
      await distant.stop();
      await network.close();
    });

    /** What a user has of what is stored. */
    async function rowsOf(username: string): Promise<{ users: number; sessions: number }> {
      const [rows] = await postgres.query<{ users: number; sessions: number }>(
        `SELECT count(DISTINCT u.id)::int AS users, count(s.id)::int AS sessions
           FROM "user" u LEFT JOIN user_session s ON s.user_id = u.id WHERE username = $1`,
        [username],
      );
      if (rows === undefined) throw new Error('An aggregate is one row');
      return rows;
    }

    it('a request waits so long for all of its statements, not for each', async () => {
      const slow = await signUp(distant, 'slow');
      network.delay(800);
      try {
        expect((await ask(distant, '/user/me', bearer(slow))).status).toBe(200);
        const headers = { authorization: `Bearer ${slow}`, 'content-type': 'application/json' };
        await expectUnavailable(distant, [
          ['/user/login', form({ username: 'slow', password: PASSWORD })],
          ['/user/me', { ...post({ username: 'slower' }), headers, method: 'PATCH' }],
          ['/user/create', registration('too slow')],
        ]);
      } finally {
        network.delay(0);
      }
      expect(await rowsOf('slow')).toEqual({ users: 1, sessions: 1 });
      expect(await rowsOf('too slow')).toEqual({ users: 0, sessions: 0 });
    });

    it('and for a connection', async () => {
      network.cutAll();
      network.delay(250);
      try {
        // Some four answers of the server until it is let in, and five more.
        await expectUnavailable(distant, [
          ['/user/login', form({ username: 'hana', password: PASSWORD })],
        ]);
      } finally {
        network.delay(0);
      }
    });

    it.each([true, false])(
      'a connection is lost while something is read: it is read again (heard: %s)',
      async (heard) => {
        const cut = network.cutAt(/FROM user_session s JOIN/, { heard });
        expect(await statusWith(distant, token)).toBe(200);
        await cut;
      },
    );

    it.each([true, false])(
      'a connection is lost before anything is committed: it is done again, once (heard: %s)',
      async (heard) => {
        const username = `again ${String(heard)}`;
        const registering = network.cutAt(/INSERT INTO "user"/, { heard });
        expect((await ask(distant, '/user/create', registration(username))).status).toBe(204);
        await registering;
        const loggingIn = network.cutAt(/INSERT INTO user_session/, { heard });
        await logIn(distant, username, PASSWORD);
        await loggingIn;
        expect(await rowsOf(username)).toEqual({ users: 1, sessions: 1 });
      },
    );

    it.each([true, false])(
      'a connection is lost on a commit: all of it is there, or nothing (heard: %s)',
      async (heard) => {
        const username = `once ${String(heard)}`;
        const cut = network.cutAt(/COMMIT/, { heard });
        await expectUnavailable(distant, [['/user/create', registration(username)]]);
        await cut;
        expect((await ask(distant, '/user/create', registration(username))).status).toBe(
          heard ? 409 : 204,
        );
        await logIn(distant, username, PASSWORD);
      },
    );

    it.each([true, false])(
      'a connection is lost on the commit of a refresh: asked again, it is answered (heard: %s)',
      async (heard) => {
        const username = `refreshes ${String(heard)}`;
        await signUp(distant, username);
        const { refresh_token: first = '' } = await logInWith(distant, {
          username,
          scope: 'offline_access',
        });
        const request = form({ grant_type: 'refresh_token', refresh_token: first });
        const cut = network.cutAt(/COMMIT/, { heard });
        await expectUnavailable(distant, [['/user/token', request]]);
        await cut;
        const { status, body } = await ask(distant, '/user/token', request);
        expect(status).toBe(200);
        const { access_token: next } = body as { access_token: string };
        expect(await statusWith(distant, next)).toBe(200);
      },
    );

    it('all connections are lost: nobody notices', async () => {
      await Promise.all(times(20, () => statusWith(distant, token)));
      network.cutAll();
      expect(await Promise.all(times(20, () => statusWith(distant, token)))).toEqual(
        times(20, () => 200),
      );
      await postgres.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name <> ''`,
      );
      expect(await Promise.all(times(20, () => statusWith(distant, token)))).toEqual(
        times(20, () => 200),
      );
    });
  });

  it('that has undone a transaction is asked once more', async () => {
    await postgres.query(`
      CREATE SEQUENCE attempts;
      CREATE FUNCTION refuse_first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('attempts') % 2 = 1 THEN
          RAISE 'could not serialize access' USING ERRCODE = TG_ARGV[0];
        END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER serialises BEFORE INSERT ON "user"
        FOR EACH ROW EXECUTE FUNCTION refuse_first('40001');
      CREATE TRIGGER serialises BEFORE INSERT ON user_session
        FOR EACH ROW EXECUTE FUNCTION refuse_first('40P01')`);
    try {
      const again = await signUp(service, 'undone');
      expect(await statusWith(service, again)).toBe(200);
      const [attempts] = await postgres.query('SELECT last_value::int AS made FROM attempts');
      expect(attempts).toEqual({ made: 4 });
    } finally {
      await postgres.query('DROP FUNCTION refuse_first CASCADE; DROP SEQUENCE attempts');
    }
  });

  it('does not cut short what is hashed, however long that takes', async () => {
    const settings = { BCRYPT_COST: '14', HASH_CONCURRENCY: '1', HASH_QUEUE_SECONDS: '60' };
    const slow = await start(settings);
    const answers = await Promise.all(
      times(4, (i) => ask(slow, '/user/create', registration(`hashed ${String(i)}`))),
    );
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
    // Otherwise this has shown nothing.
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeGreaterThan(1500);
    await slow.stop();
  });

  it('lets nobody in any more is a 503, and is right again as soon as it does', async () => {
    await postgres.query(`
      CREATE ROLE accounts LOGIN PASSWORD 'for one test';
      GRANT ALL ON ALL TABLES IN SCHEMA public TO accounts;
      GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO accounts`);
    const limited = await start({ DB_USER: 'accounts', DB_PASS: 'for one test' });
    await postgres.query('ALTER ROLE accounts CONNECTION LIMIT 0');
    await postgres.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'accounts'`,
    );
    await expectUnavailable(limited, everything('refused'));
    await postgres.query('ALTER ROLE accounts CONNECTION LIMIT -1');
    await expectRightAgain(limited, token);
    await limited.stop();
    await postgres.query('DROP OWNED BY accounts; DROP ROLE accounts');
  });

  it('of a leader that is none any more, keeps no connection', async () => {
    const name = postgres.environment['DB_NAME'] ?? '';
    const create = (username: string): Promise<number> =>
      ask(service, '/user/create', registration(username)).then(({ status }) => status);
    await postgres.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    try {
      await postgres.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'user-account-service'`,
      );
      expect(await Promise.all(times(20, (i) => create(`standby ${String(i)}`)))).toEqual(
        times(20, () => 503),
      );
      expect(await statusWith(service, token)).toBe(200);
    } finally {
      // As of a connection's beginning: those from before would be read-only for ever.
      await postgres.query(`BEGIN; SET LOCAL transaction_read_only = off;
        ALTER DATABASE ${name} RESET default_transaction_read_only; COMMIT`);
    }
    await Promise.all(times(10, () => statusWith(service, token)));
    let refused = 0;
    await waitUntil(async () => {
      const statuses = await Promise.all(
        times(10, (i) => create(`leader ${String(refused)} ${String(i)}`)),
      );
      refused += 1;
      return statuses.every((status) => status === 204);
    }, service.output);
    // Each connection has been refused once at most.
    expect(refused).toBeLessThanOrEqual(3);
  });

  it.each(['SIGINT', 'SIGQUIT', 'SIGKILL'] as const)(
    'is ended by %s and comes back: 503 meanwhile, and what was said is true',
    async (signal) => {
      const storm = new Storm(`restart ${signal}`, () => service);
      await storm.blowing();
      await postgres.restart(signal);
      await expectRightAgain(service, token);
      const { created, statuses } = await storm.end();
      expect([...statuses].filter((status) => ![204, 503].includes(status))).toEqual([]);
      for (const name of created) await logIn(service, name, PASSWORD);
    },
  );

  whereDisksCanBeFull('is right again after it was full, nothing being half written', async () => {
    const full = FullDisk.mount(statSync(postgres.socket).uid);
    await postgres.query(`CREATE TABLESPACE small LOCATION '${full.directory}'`);
    await postgres.query('ALTER TABLE "user" SET TABLESPACE small');
    await full.fill();
    const names = times(60, (i) => `full ${String(i)} ${'x'.repeat(100)}`);
    const answers = await Promise.all(
      names.map((name) => ask(service, '/user/create', registration(name))),
    );
    // Until a page is full there is room in it.
    const created = names.filter((_name, i) => answers[i]?.status === 204);
    const refused = answers.filter(({ status }) => status !== 204);
    expect(refused.length).toBeGreaterThan(0);
    for (const { status, retryAfter, body } of refused) {
      expect([status, retryAfter, body]).toEqual([503, '1', { detail: UNAVAILABLE }]);
    }
    await full.empty();
    await expectRightAgain(service, token);
    const late = names.find((name) => !created.includes(name)) ?? '';
    expect((await ask(service, '/user/create', registration(late))).status).toBe(204);
    for (const name of [...created, late]) await logIn(service, name, PASSWORD);
    await postgres.query('ALTER TABLE "user" SET TABLESPACE pg_default');
    await postgres.query('DROP TABLESPACE small');
    full.unmount();
  });

  it('keeps what a service has answered that was killed then', async () => {
    let mortal = await start();
    const storm = new Storm('killed', () => mortal);
    for (let round = 0; round < 3; round += 1) {
      await storm.blowing();
      const killed = mortal.stop('SIGKILL');
      mortal = await start();
      expect(await killed).toBe('SIGKILL');
    }
    await storm.blowing();
    const { created, statuses } = await storm.end();
    // No answer at all, from a service that was killed, is none that is wrong.
    expect([...statuses].filter((status) => ![204, 0].includes(status))).toEqual([]);
    for (const name of created) await logIn(mortal, name, PASSWORD);
    const rows = await postgres.query<{ username: string }>(
      `SELECT username FROM "user" WHERE username LIKE 'killed%' AND password LIKE '$2b$04$%'`,
    );
    expect(rows.map(({ username }) => username)).toEqual(expect.arrayContaining(created));
    // Whatever is there can be used, whether anybody was told or not.
    for (const { username } of rows) await logIn(mortal, username, PASSWORD);
    await mortal.stop();
  });

  it('frozen, does not keep a service from ending in order', async () => {
    const leaving = await start();
    await Promise.all(times(5, () => statusWith(leaving, token)));
    const thaw = postgres.freeze();
    try {
      const waiting = ask(leaving, '/user/me', bearer(token));
      const began = performance.now();
      expect(await leaving.stop()).toBe(0);
      expect(performance.now() - began).toBeLessThan(10_000);
      expect((await waiting).status).toBe(503);
    } finally {
      thaw();
    }
  });
});
