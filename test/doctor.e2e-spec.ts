import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { chmod, mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { backupCheck } from '../src/doctor/backup-check';
import { lookAtOnce } from '../src/doctor/check';
import { certificateFindings, redirectFinding } from '../src/doctor/tls-checks';
import { findWay } from '../src/doctor/reach';
import { CertificateAuthority, inDays, selfSigned } from './support/certificate';
import { PASSWORD, signUp } from './support/client';
import { type Outcome, spawnCommand } from './support/command';
import {
  createDatabase,
  createMigratedDatabase,
  type MigratedDatabase,
  openDataSource,
  type TestDatabase,
} from './support/database';
import { TestMailServer } from './support/mail-server';
import { OwnPostgres } from './support/own-postgres';
import {
  type RunningService,
  startService,
  startServiceOn,
  TEST_SECRET_KEY,
  waitUntil,
} from './support/service';
import { TestProxy } from './support/test-proxy';

interface Found {
  readonly group: string;
  readonly name: string;
  readonly status: 'ok' | 'advice' | 'problem';
  readonly found: string;
  readonly todo: string;
}

interface Diagnosis {
  readonly status: Outcome['status'];
  readonly reached: boolean;
  readonly summary: Record<Found['status'], number>;
  readonly checks: readonly Found[];
  readonly output: string;
}

const HOME = mkdtempSync(join(tmpdir(), 'uas-doctor-'));
const AUTHORITY = new CertificateAuthority();
const AUTHORITY_FILE = join(HOME, 'authority.pem');
/** Of a role that is no superuser and owns nothing. */
const ROLE_PASS = 'only-for-the-database';
const LOCALHOST = { name: 'localhost', hosts: ['localhost', '127.0.0.1', '0.0.0.0'] };
const CERTIFICATE = AUTHORITY.issue(LOCALHOST);

beforeAll(async () => {
  // Started by root, nginx and PostgreSQL run as other users, who have to pass.
  await chmod(HOME, 0o711);
  await writeFile(AUTHORITY_FILE, AUTHORITY.cert);
});

afterAll(() => rm(HOME, { recursive: true }));

/** Asks the doctor, for programs. */
async function ask(
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  input = '',
): Promise<Diagnosis> {
  const { outcome } = spawnCommand(
    'doctor',
    ['--json', ...parameters],
    { NODE_EXTRA_CA_CERTS: AUTHORITY_FILE, ...environment },
    input,
  );
  const { status, output, errors } = await outcome;
  expect(errors).toBe('');
  return { status, output, ...(JSON.parse(output) as Omit<Diagnosis, 'status' | 'output'>) };
}

/** What it has said of something. */
function said({ checks }: Diagnosis, name: string): Found[] {
  return checks.filter((check) => check.name === name);
}

function problems({ checks }: Diagnosis): string[] {
  return checks.filter(({ status }) => status === 'problem').map(({ name }) => name);
}

/** That a mistake, and nothing else, was found, with words that say what to do. */
function expectProblem(diagnosis: Diagnosis, name: string, found: RegExp, todo: RegExp): void {
  expect([diagnosis.status, [...new Set(problems(diagnosis))]]).toEqual([1, [name]]);
  const [problem] = said(diagnosis, name).filter(({ status }) => status === 'problem');
  expect(problem?.found).toMatch(found);
  expect(problem?.todo).toMatch(todo);
}

/** A role that may use the tables and owns nothing, as the service should have. */
async function makeRole(postgres: OwnPostgres): Promise<Record<string, string>> {
  await postgres.query(`CREATE ROLE service LOGIN PASSWORD '${ROLE_PASS}'`);
  await makeGrants(postgres);
  return { ...postgres.environment, DB_USER: 'service', DB_PASS: ROLE_PASS };
}

/** Gives that role what it needs, as the migrations do. */
async function makeGrants(postgres: OwnPostgres): Promise<void> {
  const dataSource = await openDataSource({
    environment: { ...postgres.environment, DB_SERVICE_ROLE: 'service' },
  });
  await dataSource.runMigrations();
  await dataSource.destroy();
}

describe('a deployment that is well', () => {
  let postgres: OwnPostgres;
  let mailServer: TestMailServer;
  let proxy: TestProxy;
  let service: RunningService;
  let environment: Record<string, string>;
  let backup: string;

  beforeAll(async () => {
    [postgres, mailServer, proxy] = await Promise.all([
      OwnPostgres.start(),
      TestMailServer.start(),
      TestProxy.start(CERTIFICATE),
    ]);
    backup = join(HOME, 'accounts.dump');
    await writeFile(backup, `PGDMP${'x'.repeat(5000)}`);
    environment = {
      ...(await makeRole(postgres)),
      ...mailServer.environment,
      NODE_ENV: 'production',
      SECRET_KEY: TEST_SECRET_KEY,
      BCRYPT_COST: '10',
      TRUST_PROXY: '1',
      PUBLIC_URL: proxy.url(),
    };
    service = await startServiceOn({ environment } as TestDatabase, environment);
    proxy.target = service.url;
    await signUp(service, 'hana');
  });

  afterEach(() => {
    proxy.behave();
  });

  afterAll(async () => {
    proxy.close();
    await service.stop();
    await mailServer.stop();
    await postgres.remove();
  });

  /** From outside only: without the settings. */
  function askOutside(...parameters: readonly string[]): Promise<Diagnosis> {
    return ask(['--url', proxy.url(), ...parameters]);
  }

  /** With an account. */
  function askAsHana(): Promise<Diagnosis> {
    return ask(['--url', proxy.url(), '--login', 'hana', '--stdin'], {}, `${PASSWORD}\n`);
  }

  it('has no problem, from outside and from inside', async () => {
    const diagnosis = await ask(
      ['--url', proxy.url(), '--login', 'hana', '--stdin', '--backup', backup],
      environment,
      `${PASSWORD}\n`,
    );
    expect(diagnosis.checks.filter(({ status }) => status === 'problem')).toEqual([]);
    expect([diagnosis.status, diagnosis.reached]).toEqual([0, true]);
    // How fast a machine is, and which Node it has, is nothing that the test can know.
    const advised = diagnosis.checks
      .filter(
        ({ status, name }) => status === 'advice' && !/^(hashing|latency|node|memory)$/.test(name),
      )
      .map(({ name }) => name);
    expect(advised).toEqual([]);
    expect([...new Set(diagnosis.checks.map(({ name }) => name))]).toEqual([
      'reachable',
      'page',
      'alive',
      'ready',
      'errors',
      'headers',
      'clock',
      'tls',
      'certificate',
      'body-size',
      'cross-site',
      'protocol',
      'address',
      'cookies',
      'metrics',
      'mailbox',
      'settings',
      'secret-key',
      'previous-key',
      'secret-files',
      'environment',
      'rate-limit',
      'trust-proxy',
      'public-url',
      'cors',
      'passwords',
      'database',
      'version',
      'primary',
      'durability',
      'latency',
      'database-clock',
      'time-outs',
      'connections',
      'activity',
      'encryption',
      'pooler',
      'upkeep',
      'migrations',
      'schema',
      'indexes',
      'tables',
      'role',
      'grants',
      'audit-trail',
      'hashes',
      'outbox',
      'hashing',
      'mail-server',
      'backup',
      'open-files',
      'memory',
      'node',
    ]);
    // What this command has itself is not the service's.
    expect(said(diagnosis, 'connections')[0]?.found).toMatch(/\d user-account-service doctor[,)]/);
    for (const secret of [TEST_SECRET_KEY, ROLE_PASS, PASSWORD, 'only-for-the-mail-server']) {
      expect(diagnosis.output).not.toContain(secret);
    }
  });

  it('is told to people in lines, and what was not looked at', async () => {
    const { outcome } = spawnCommand('doctor', ['--url', proxy.url()], {
      NODE_EXTRA_CA_CERTS: AUTHORITY_FILE,
    });
    const { status, output } = await outcome;
    expect(status).toBe(0);
    expect(output).toMatch(/^From outside\n {2}ok {7}reachable {4}localhost is /);
    expect(output).toMatch(
      / {2}advice {3}address {6}Not looked at: .*\n +→ Add --login and the name of an account/,
    );
    expect(output).toMatch(/\n\n0 problems, 2 advice, \d+ ok\n$/);
    proxy.behave({ forwardedProto: 'none' });
    const broken = await spawnCommand('doctor', ['--url', proxy.url()], {
      NODE_EXTRA_CA_CERTS: AUTHORITY_FILE,
    }).outcome;
    expect(broken.status).toBe(1);
    expect(broken.output).toMatch(
      / {2}PROBLEM {2}protocol {5}The service does not know that it is/,
    );
    expect(broken.output).toMatch(
      /\n\nTo be mended\n {2}protocol {5}→ Have the proxy set X-Forwarded-Proto .*\n\n1 problem, /,
    );
  });

  it('is left as it was: no login stays, and nobody can write', async () => {
    await askAsHana();
    const before = await postgres.query<{ xid: string }>('SELECT txid_current()::text AS xid');
    await ask([], environment);
    const after = await postgres.query<{ xid: string }>('SELECT txid_current()::text AS xid');
    // Each of these two has taken a number, and the background jobs of the service none.
    expect(Number(after[0]?.xid) - Number(before[0]?.xid)).toBe(1);
    const sessions = await postgres.query(
      `SELECT FROM user_session WHERE user_agent IS NULL AND expires_at > now()`,
    );
    expect(sessions).toEqual([]);
  });

  describe('with a proxy', () => {
    it('that passes on what a client says of its address', async () => {
      proxy.behave({ forwardedFor: 'pass' });
      expectProblem(
        await askAsHana(),
        'address',
        /^A client can say that it is at another address/,
        /proxy_set_header X-Forwarded-For \$remote_addr/,
      );
    });

    it('that does not say that it ends TLS', async () => {
      proxy.behave({ forwardedProto: 'none' });
      const diagnosis = await askAsHana();
      expect(diagnosis.status).toBe(1);
      expect(problems(diagnosis)).toEqual(['protocol', 'cookies']);
      expect(said(diagnosis, 'protocol')[0]?.todo).toMatch(/X-Forwarded-Proto .*TRUST_PROXY/);
      expect(said(diagnosis, 'cookies')[0]?.found).toMatch(
        /lacks the name __Host-session, Secure$/,
      );
    });

    it('that believes a client about TLS', async () => {
      proxy.behave({ forwardedProto: 'pass' });
      expectProblem(
        await askOutside(),
        'protocol',
        /^A client that says X-Forwarded-Proto: http is believed$/,
        /set it anew/,
      );
    });

    it('that gives the service another name', async () => {
      proxy.behave({
        request: (headers) => {
          headers.host = 'backend:8000';
        },
      });
      expectProblem(await askOutside(), 'protocol', /does not know that it is/, /Host \$http_host/);
    });

    it('that takes attributes off the cookie', async () => {
      proxy.behave({
        response: (headers) => {
          headers['strict-transport-security'] = 'max-age=31536000';
          const cookies = [headers['set-cookie'] ?? []].flat();
          headers['set-cookie'] = cookies.map((cookie) => cookie.replace(/; Secure/i, ''));
        },
      });
      expectProblem(await askAsHana(), 'cookies', /lacks Secure$/, /proxy_cookie_path/);
    });

    it('that lets pages of other sites log in', async () => {
      proxy.behave({
        request: (headers) => {
          delete headers['sec-fetch-site'];
          headers.origin = proxy.url();
        },
      });
      const diagnosis = await askOutside();
      expect(diagnosis.status).toBe(1);
      expect(problems(diagnosis)).toEqual(expect.arrayContaining(['cross-site', 'protocol']));
      expect(said(diagnosis, 'cross-site')[0]?.todo).toMatch(/Sec-Fetch-Site and Origin/);
    });

    it('whose clock is a minute off', async () => {
      proxy.behave({
        response: (headers) => {
          headers['strict-transport-security'] = 'max-age=31536000';
          headers.date = new Date(Date.now() - 60_000).toUTCString();
        },
      });
      expectProblem(await askOutside(), 'clock', /is \d\d s behind that of this machine/, /NTP/);
    });

    it('that takes the headers away, tells its version, and lets answers be kept', async () => {
      proxy.behave({
        response: (headers) => {
          for (const name of Object.keys(headers)) {
            if (/policy|options|transport/.test(name)) headers[name] = [];
          }
          headers.server = 'nginx/1.2.3 \u009b31m';
          headers['cache-control'] = 'public, max-age=60';
        },
      });
      const diagnosis = await askOutside();
      expectProblem(
        diagnosis,
        'headers',
        /lack Content-Security-Policy, X-Frame-Options, X-Content-Type-Options: nosniff, Referrer-Policy$/,
        /nginx\.conf/,
      );
      expect(said(diagnosis, 'headers').map(({ found }) => found)).toEqual([
        expect.any(String),
        expect.stringMatching(/^Answers of the API may be kept/),
        // For a terminal, it would be a colour.
        expect.stringMatching(/server: nginx\/1\.2\.3 \u009b31m/),
        expect.stringMatching(/no Strict-Transport-Security/),
      ]);
      expect(diagnosis.output).toContain('1.2.3 \\u009b31m');
    });

    it('that has its own page for errors, and for long bodies', async () => {
      proxy.behave({
        answer: ({ url, headers }) => {
          if (url?.endsWith('/nothing-is-here') === true) return { status: 404, body: 'Oops' };
          if (Number(headers['content-length']) > 8192) return { status: 413, body: 'Too large' };
          return undefined;
        },
      });
      const diagnosis = await askOutside();
      expect(diagnosis.status).toBe(1);
      expect(problems(diagnosis)).toEqual(['errors', 'body-size']);
      expect(said(diagnosis, 'errors')[0]?.todo).toMatch(/proxy_intercept_errors/);
      expect(said(diagnosis, 'body-size')[0]?.todo).toMatch(/client_max_body_size 64k/);
    });

    it.each([
      ['of each token', true, /were answered by one$/],
      ['for everyone', false, /^Whoever has no token is told who somebody else is/],
    ])('that keeps answers %s', async (_whose, isByToken, found) => {
      proxy.behave({
        keep: ({ url, headers }) =>
          url?.endsWith('/user/me') === true && headers.cookie === undefined
            ? `key ${isByToken ? (headers.authorization ?? '') : ''}`
            : undefined,
      });
      expectProblem(await askAsHana(), 'address', found, /no proxy_cache/);
    });

    it('that takes cookies away', async () => {
      proxy.behave({
        request: (headers) => {
          delete headers.cookie;
        },
      });
      const diagnosis = await askAsHana();
      expectProblem(
        diagnosis,
        'cookies',
        /answered 401: nobody stays logged in/,
        /let Cookie through/,
      );
      await postgres.query('DELETE FROM user_session');
    });

    it('that allows GET and POST only', async () => {
      proxy.behave({
        answer: ({ method }) =>
          method === 'DELETE' ? { status: 405, body: 'Not allowed' } : undefined,
      });
      const diagnosis = await askAsHana();
      expectProblem(
        diagnosis,
        'cookies',
        /^DELETE \/user\/session is answered 405, not 204: nobody can log out with a browser/,
        /let every method through/,
      );
      await postgres.query('DELETE FROM user_session');
    });

    it('that lets nobody log out', async () => {
      proxy.behave({
        answer: ({ url }) =>
          url?.endsWith('/user/logout') === true ? { status: 404, body: 'Not found' } : undefined,
      });
      expectProblem(
        await askAsHana(),
        'address',
        /^POST \/user\/logout is answered 404, not 204: nobody can log out/,
        /let every method through/,
      );
      await postgres.query('DELETE FROM user_session');
    });

    it('that takes tokens away', async () => {
      proxy.behave({
        request: (headers) => {
          delete headers.authorization;
        },
      });
      const diagnosis = await askAsHana();
      expectProblem(diagnosis, 'address', /^The token of a login is answered 401/, /Authorization/);
      await postgres.query('DELETE FROM user_session');
    });

    it('before processes with different keys', async () => {
      const second = await startServiceOn({ environment } as TestDatabase, {
        ...environment,
        SECRET_KEY: TEST_SECRET_KEY.split('').reverse().join(''),
      });
      let asked = 0;
      proxy.behave({
        request: ({ authorization }) => {
          // Of what others ask meanwhile, the turn of these must not depend.
          const isTurn = authorization !== undefined && asked++ % 2 === 0;
          proxy.target = isTurn ? second.url : service.url;
        },
      });
      const diagnosis = await askAsHana();
      proxy.target = service.url;
      await second.stop();
      expectProblem(
        diagnosis,
        'address',
        /^Some of the processes do not know the SECRET_KEY that others sign with/,
        /^Give all the same SECRET_KEY/,
      );
      expect(await postgres.query('SELECT FROM user_session WHERE expires_at > now()')).toEqual([]);
    });

    it('that shows the metrics to everyone', async () => {
      proxy.behave({
        answer: ({ url }) =>
          url === '/metrics'
            ? { status: 200, type: 'text/plain', body: '# HELP up whether it is\nup 1\n' }
            : undefined,
      });
      expectProblem(await askOutside(), 'metrics', /Everyone can read/, /port of their own/);
    });

    it('behind which nobody is', async () => {
      proxy.behave({ answer: () => ({ status: 502, body: '<h1>502 Bad Gateway</h1>' }) });
      const diagnosis = await askOutside();
      expect(diagnosis.status).toBe(1);
      expect(problems(diagnosis)).toEqual(['page', 'alive']);
      expect(said(diagnosis, 'alive')[0]?.todo).toMatch(/whether the service runs/);
    });

    it('that sends everyone elsewhere', async () => {
      const redirecting = createServer((_request, response) => {
        response.writeHead(308, { location: 'https://accounts.example.com/' }).end();
      });
      const url = await listen(redirecting);
      const diagnosis = await ask(['--url', url]);
      expectProblem(
        diagnosis,
        'reachable',
        /^Everyone is sent to https:\/\/accounts\.example\.com$/,
        /--url https:\/\/accounts\.example\.com\//,
      );
      redirecting.close();
    });
  });

  it('believes one proxy too many', async () => {
    const second = await startServiceOn({ environment } as TestDatabase, {
      ...environment,
      TRUST_PROXY: '2',
    });
    proxy.target = second.url;
    proxy.behave({ forwardedFor: 'append' });
    const diagnosis = await askAsHana();
    proxy.target = service.url;
    await second.stop();
    expectProblem(
      diagnosis,
      'address',
      /the last but 1 in X-Forwarded-For is believed/,
      /TRUST_PROXY is 1 too many/,
    );
  });

  it('does not log in who gives a wrong password', async () => {
    const diagnosis = await ask(
      ['--url', proxy.url(), '--login', 'hana', '--stdin'],
      {},
      'wrong password\n',
    );
    expect(problems(diagnosis)).toEqual(['address', 'cookies']);
    expect(said(diagnosis, 'address')[0]?.found).toMatch(/the login was refused \(401\)/);
  });

  it('is asked without TLS, by a name of the network: no password is sent', async () => {
    const open = await TestProxy.start();
    open.target = service.url;
    open.behave({
      answer: ({ url }) =>
        url === '/mailbox' ? { status: 200, body: '<title>Mailbox</title>' } : undefined,
    });
    const diagnosis = await ask(
      ['--url', open.url('0.0.0.0'), '--login', 'hana', '--stdin'],
      {},
      `${PASSWORD}\n`,
    );
    open.close();
    expect(problems(diagnosis)).toEqual(['tls', 'address', 'cookies', 'mailbox']);
    expect(said(diagnosis, 'tls')[0]?.todo).toMatch(/certificate/);
    expect(said(diagnosis, 'address')[0]?.found).toMatch(/everyone on the way would read/);
    expect(said(diagnosis, 'mailbox')[0]?.todo).toMatch(/at once/);
  });

  describe('with a certificate', () => {
    it.each([
      [
        'that has expired',
        AUTHORITY.issue({ ...LOCALHOST, from: inDays(-90), until: inDays(-3) }),
        /^The certificate expired on /,
        /nginx -s reload/,
      ],
      [
        'that expires this week',
        AUTHORITY.issue({ ...LOCALHOST, until: inDays(3.5) }),
        /^The certificate expires in 3 days, on /,
        /Renew it/,
      ],
      ['that has signed itself', selfSigned(LOCALHOST), /has signed itself/, /Let’s Encrypt/],
      [
        'for another name',
        AUTHORITY.issue({ name: 'other', hosts: ['other.example.com'] }),
        /is not for localhost, but for DNS:other\.example\.com$/,
        /server_name/,
      ],
      [
        'of an authority that nobody knows',
        new CertificateAuthority('Somebody').issue(LOCALHOST),
        /chain is not complete/,
        /fullchain\.pem/,
      ],
    ])('%s', async (_what, certificate, found, todo) => {
      const own = await TestProxy.start(certificate);
      own.target = service.url;
      const diagnosis = await ask(['--url', own.url()]);
      own.close();
      expectProblem(diagnosis, 'certificate', found, todo);
    });

    it('is advised to renew it in time', async () => {
      const own = await TestProxy.start(AUTHORITY.issue({ ...LOCALHOST, until: inDays(14.5) }));
      const { tls } = await findWay(new URL(own.url()));
      own.close();
      if (tls === undefined) throw new Error('It has TLS');
      const [finding] = certificateFindings('localhost', { ...tls, error: undefined });
      expect(finding).toMatchObject({
        status: 'advice',
        found: expect.stringMatching(/in 14 days/) as string,
      });
    });

    it('is told when TLS of before 1.2 is taken', async () => {
      const own = await TestProxy.start({
        ...CERTIFICATE,
        minVersion: 'TLSv1',
        ciphers: 'DEFAULT:@SECLEVEL=0',
      });
      own.target = service.url;
      const diagnosis = await ask(['--url', own.url()]);
      own.close();
      expectProblem(diagnosis, 'tls', /older than TLS 1\.2 is taken/, /ssl_protocols/);
    });
  });

  it.each([
    [308, 'https://localhost/', 'ok', /is sent to https:\/\/localhost\//],
    [200, '', 'problem', /is answered 200, and not sent to TLS/],
    [302, 'http://localhost/login', 'problem', /is answered 302, and not sent to TLS/],
  ])('is asked without TLS, and answers %i %s', async (status, location, expected, found) => {
    const server = createServer((_request, response) => {
      response.writeHead(status, { location }).end();
    });
    const { port } = new URL(await listen(server));
    const finding = await redirectFinding(
      new URL('https://localhost/'),
      AbortSignal.timeout(5000),
      Number(port),
    );
    server.close();
    expect(finding.status).toBe(expected);
    expect(finding.found).toMatch(found);
  });

  describe('with settings', () => {
    /** Nothing of these reaches the service: they are the ones it would be started with next. */
    it('that are unwise: each is named', async () => {
      const diagnosis = await ask([], {
        ...environment,
        SECRET_KEY: '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
        RATE_LIMIT: 'off',
        TRUST_PROXY: '',
        CORS_ORIGINS: 'http://app.example.com',
        BCRYPT_COST: '4',
      });
      expect(diagnosis.status).toBe(1);
      const found = diagnosis.checks.filter(({ status }) => status === 'problem');
      expect(found.map(({ name, found: what, todo }) => [name, what, todo])).toEqual([
        [
          'secret-key',
          expect.stringMatching(/published one: the service does not start$/),
          expect.stringMatching(/^Make one: openssl rand -hex 32/),
        ],
        [
          'rate-limit',
          expect.stringMatching(/guessed as often as one likes$/),
          'Take RATE_LIMIT=off away',
        ],
        [
          'trust-proxy',
          expect.stringMatching(/^TRUST_PROXY is empty/),
          expect.stringMatching(/^Set TRUST_PROXY to the number of proxies/),
        ],
        ['cors', expect.stringMatching(/come without TLS/), expect.stringMatching(/CORS_ORIGINS$/)],
        [
          'passwords',
          expect.stringMatching(/^BCRYPT_COST is 4/),
          expect.stringMatching(/^Set it to 12/),
        ],
      ]);
    });

    it('with a short key that is allowed, and links that anybody can read', async () => {
      const diagnosis = await ask([], {
        ...environment,
        SECRET_KEY: 'short',
        ALLOW_WEAK_SECRET_KEY: 'true',
        PUBLIC_URL: 'http://accounts.example.com',
      });
      expect([diagnosis.status, problems(diagnosis)]).toEqual([1, ['secret-key', 'public-url']]);
      expect(said(diagnosis, 'secret-key')[0]?.found).toMatch(/whoever guesses it can be anyone$/);
      expect(said(diagnosis, 'public-url')[0]?.todo).toMatch(/PUBLIC_URL https/);
    });

    it('with which it would not start: each is named', async () => {
      const diagnosis = await ask([], { ...environment, PORT: 'x', RATE_LIMIT: 'perhaps' });
      expect([diagnosis.status, problems(diagnosis)]).toEqual([1, ['settings', 'settings']]);
      expect(said(diagnosis, 'settings').map(({ found }) => found)).toEqual([
        'PORT must be a whole number from 0 to 65535',
        'RATE_LIMIT must be on, off, true or false',
      ]);
    });

    it('of which some are advised against', async () => {
      const readable = join(HOME, 'key');
      await writeFile(readable, 'one of before, that is long enough');
      await chmod(readable, 0o644);
      const diagnosis = await ask([], {
        ...environment,
        SECRET_KEY_PREVIOUS_FILE: readable,
        NODE_ENV: 'development',
        PASSWORD_MIN_LENGTH: '1',
        HASH_CONCURRENCY: String(availableParallelism() + 1),
      });
      expect(diagnosis.status).toBe(0);
      for (const [name, found] of [
        ['previous-key', /still taken/],
        ['secret-files', /can read/],
        ['environment', /development/],
        ['passwords', /may have 1 characters/],
      ] as const) {
        expect(said(diagnosis, name)[0]).toMatchObject({ status: 'advice' });
        expect(said(diagnosis, name)[0]?.found).toMatch(found);
      }
      expect(said(diagnosis, 'hashing').map(({ found }) => found)).toContainEqual(
        expect.stringMatching(/^HASH_CONCURRENCY is \d+, and there are/),
      );
    });

    it('of another page than it is asked for', async () => {
      const diagnosis = await ask(['--url', proxy.url('127.0.0.1')], environment);
      expectProblem(diagnosis, 'public-url', /Links in mails lead to/, /Set PUBLIC_URL/);
    });
  });

  describe('with a mail server', () => {
    it('that does not know the password', async () => {
      const SMTP_URL = environment['SMTP_URL']?.replace(/:[^:@]*@/, ':wrong@') ?? '';
      expectProblem(
        await ask([], { ...environment, SMTP_URL }),
        'mail-server',
        /does not take mails from here \(535\)/,
        /user and password of SMTP_URL/,
      );
    });

    it('that is not there, and mails that were given up', async () => {
      await postgres.query(
        `INSERT INTO mail (kind, user_id, recipient, language, expires_at, next_attempt_at)
         SELECT 'verify', id, email, 'en', now(), NULL FROM "user"`,
      );
      const SMTP_URL = `smtp://127.0.0.1:${new URL(await closedUrl()).port}`;
      const diagnosis = await ask([], { ...environment, SMTP_URL });
      await postgres.query(`DELETE FROM mail WHERE next_attempt_at IS NULL AND sent_at IS NULL`);
      expectProblem(diagnosis, 'mail-server', /ECONNREFUSED/, /whether it runs/);
      expect(said(diagnosis, 'outbox')[0]).toMatchObject({
        status: 'advice',
        todo: expect.stringContaining('npm run mail -- list --dead') as string,
      });
    });
  });

  describe('with backups', () => {
    const SQL = `--\n-- PostgreSQL database dump\n--\n${'-- more\n'.repeat(500)}`;

    it.each([
      ['that are old', 'PGDMP', 8 * 24, 'problem', /is 8 days old/, /operations.md, Back up/],
      ['of yesterday', 'PGDMP', 30, 'advice', /is 30 hours old/, /log of whatever makes/],
      ['with nothing in them', '', 0, 'problem', /has 0 bytes/, /pg_dump that fails/],
      ['that are cut off', SQL, 0, 'problem', /is cut off/, /disk is full/],
      ['that are no backups', '<html>', 0, 'advice', /nothing that pg_dump writes/, /restore it/],
    ])('%s', async (_what, content, hours, status, found, todo) => {
      const directory = mkdtempSync(join(HOME, 'backups-'));
      const file = join(directory, 'accounts.dump');
      await writeFile(file, content === '' ? '' : content.padEnd(2000, 'x'));
      const then = new Date(Date.now() - hours * 60 * 60 * 1000 - 60_000);
      await utimes(file, then, then);
      // The newest counts.
      await writeFile(join(directory, 'before.dump'), `PGDMP${'x'.repeat(2000)}`);
      const before = new Date(then.getTime() - 1000);
      await utimes(join(directory, 'before.dump'), before, before);
      // And what lies beside it does not.
      await writeFile(join(directory, 'accounts.dump.sha256'), 'x');
      const [check] = await lookAtOnce('machine', [backupCheck(directory)]);
      expect(check?.status).toBe(status);
      expect(check?.found).toMatch(found);
      expect(check?.todo).toMatch(todo);
    });

    it('that are whole', async () => {
      const file = join(HOME, 'whole.sql');
      await writeFile(file, `${SQL}--\n-- PostgreSQL database dump complete\n--\n`);
      const [check] = await lookAtOnce('machine', [backupCheck(file)]);
      expect(check).toMatchObject({ status: 'ok' });
    });

    it('that are not where they should be', async () => {
      const diagnosis = await ask(['--url', proxy.url(), '--backup', join(HOME, 'nowhere')]);
      expectProblem(diagnosis, 'backup', /cannot be read \(ENOENT\)/, /whether the path is right/);
    });
  });

  it('has a role that may have too little of one thing, and too much of another', async () => {
    await postgres.query(`
      ALTER ROLE service CONNECTION LIMIT 9 CREATEDB;
      ALTER ROLE service SET lock_timeout = '10ms';
      REVOKE DELETE ON user_session FROM service;
      REVOKE USAGE ON SEQUENCE user_id_seq FROM service;
      GRANT UPDATE, DELETE ON audit_event TO service`);
    const diagnosis = await ask([], environment).finally(() =>
      postgres.query(`
        ALTER ROLE service CONNECTION LIMIT -1 NOCREATEDB;
        ALTER ROLE service RESET lock_timeout;
        GRANT DELETE ON user_session TO service;
        GRANT USAGE ON SEQUENCE user_id_seq TO service;
        REVOKE UPDATE, DELETE ON audit_event FROM service`),
    );
    expect(diagnosis.status).toBe(1);
    const found = diagnosis.checks.filter(({ status }) => status === 'problem');
    expect(found.map(({ name, found: what, todo }) => [name, what, todo])).toEqual([
      [
        'time-outs',
        expect.stringMatching(/^lock_timeout is 10 ms/),
        expect.stringMatching(/RESET lock_timeout/),
      ],
      [
        'connections',
        expect.stringMatching(/of 9 connections are in use/),
        expect.stringMatching(/^Raise max_connections/),
      ],
      [
        'grants',
        expect.stringMatching(/may not do all/),
        expect.stringMatching(
          /GRANT DELETE ON "user_session" TO .*; GRANT USAGE ON SEQUENCE user_id_seq TO/,
        ),
      ],
      [
        'audit-trail',
        expect.stringMatching(/may change the audit trail \(UPDATE, DELETE on audit_event\)$/),
        expect.stringMatching(/^As its owner: REVOKE UPDATE, DELETE ON audit_event FROM it/),
      ],
    ]);
    expect(said(diagnosis, 'role')[0]).toMatchObject({
      status: 'advice',
      todo: 'ALTER ROLE service NOCREATEDB',
    });
  });

  describe('has tables', () => {
    const RECREATE = `CREATE TRIGGER audit_deletion AFTER DELETE ON "user" REFERENCING OLD TABLE AS deleted
      FOR EACH STATEMENT EXECUTE FUNCTION audit_deletion()`;

    it.each([
      [
        'that hide their rows',
        'ALTER TABLE "user" ENABLE ROW LEVEL SECURITY',
        'ALTER TABLE "user" DISABLE ROW LEVEL SECURITY',
        /hides rows of "user" from the service: logins are 401/,
        /ALTER TABLE "user" DISABLE ROW LEVEL SECURITY$/,
      ],
      [
        'that a crash empties',
        'ALTER TABLE revoked_token SET UNLOGGED; ALTER TABLE mail SET UNLOGGED',
        'ALTER TABLE revoked_token SET LOGGED; ALTER TABLE mail SET LOGGED',
        /^revoked_token, mail: UNLOGGED/,
        /ALTER TABLE revoked_token SET LOGGED; ALTER TABLE mail SET LOGGED$/,
      ],
      [
        'of which one says nothing of deletions',
        'ALTER TABLE "user" DISABLE TRIGGER audit_deletion',
        'ALTER TABLE "user" ENABLE TRIGGER audit_deletion',
        /audit_deletion is disabled: accounts that are deleted leave no trace/,
        /ALTER TABLE "user" ENABLE TRIGGER audit_deletion$/,
      ],
      [
        'of which one cannot say anything of deletions',
        'DROP TRIGGER audit_deletion ON "user"',
        RECREATE,
        /audit_deletion is gone/,
        /: CREATE TRIGGER audit_deletion AFTER DELETE ON "user"/,
      ],
      [
        'with a rule',
        'CREATE RULE "Keep" AS ON DELETE TO user_session DO INSTEAD NOTHING',
        'DROP RULE "Keep" ON user_session',
        /^The rule "Keep" on user_session makes something else/,
        /DROP RULE "Keep" ON user_session/,
      ],
      [
        'whose numbers begin again',
        'ALTER SEQUENCE user_id_seq RESTART',
        `SELECT setval('user_id_seq', (SELECT max(id) FROM "user"))`,
        /^The next account gets the number 1, and there are some up to \d+: registrations are 409$/,
        /SELECT setval\('user_id_seq', \(SELECT max\(id\) FROM "user"\)\)$/,
      ],
    ])('%s', async (_what, mistake, mended, found, todo) => {
      await postgres.query(mistake);
      const diagnosis = await ask([], environment).finally(() => postgres.query(mended));
      expectProblem(diagnosis, 'tables', found, todo);
    });
  });

  describe('has a role that can get round the audit trail', () => {
    it.each([
      ['GRANT UPDATE ON audit_policy TO service', 'REVOKE UPDATE ON audit_policy FROM service'],
      [
        'GRANT UPDATE (retention_days) ON audit_policy TO PUBLIC',
        'REVOKE UPDATE (retention_days) ON audit_policy FROM PUBLIC',
        /\(UPDATE on audit_policy\)$/,
      ],
      [
        'GRANT INSERT ON audit_forgotten TO service',
        'REVOKE INSERT ON audit_forgotten FROM service',
        /\(INSERT on audit_forgotten\)$/,
      ],
      [
        'GRANT CREATE ON SCHEMA public TO PUBLIC',
        'REVOKE CREATE ON SCHEMA public FROM PUBLIC',
        /its role may make things in the schema$/,
        /^REVOKE CREATE ON SCHEMA public FROM PUBLIC/,
      ],
      [
        'GRANT pg_execute_server_program TO service',
        'REVOKE pg_execute_server_program FROM service',
        /run programs there$/,
        /^REVOKE pg_execute_server_program FROM service$/,
      ],
      [
        'CREATE ROLE "Mighty" CREATEROLE; GRANT "Mighty" TO service',
        'DROP ROLE "Mighty"',
        /its role may make and change roles$/,
        /^REVOKE "Mighty" FROM service$/,
      ],
      [
        'ALTER DATABASE postgres OWNER TO service',
        'ALTER DATABASE postgres OWNER TO postgres',
        /its role owns the database$/,
        /^ALTER DATABASE postgres OWNER TO/,
      ],
      [
        'ALTER ROLE service NOINHERIT; GRANT pg_write_all_data TO service',
        'ALTER ROLE service INHERIT; REVOKE pg_write_all_data FROM service',
      ],
    ])('%s', async (mistake, mended, found = /may change the audit trail/, todo = /REVOKE/) => {
      await postgres.query(mistake);
      const diagnosis = await ask([], environment).finally(() => postgres.query(mended));
      expectProblem(diagnosis, 'audit-trail', found, todo);
    });

    it('by becoming the owner of the tables, without inheriting what that may', async () => {
      await postgres.query(`CREATE ROLE owner; ALTER TABLE audit_event OWNER TO owner;
        ALTER TABLE mail OWNER TO owner; ALTER ROLE service NOINHERIT; GRANT owner TO service`);
      const diagnosis = await ask([], environment).finally(() =>
        postgres.query(`ALTER ROLE service INHERIT; REASSIGN OWNED BY owner TO postgres;
          DROP OWNED BY owner; DROP ROLE owner`),
      );
      expectProblem(
        diagnosis,
        'audit-trail',
        /^The service could rewrite its audit trail: it may drop it$/,
        /^REVOKE owner FROM service;/,
      );
      expect(said(diagnosis, 'role')[0]).toMatchObject({
        status: 'advice',
        found: expect.stringMatching(/^The role service can become owner \(SET ROLE\)/) as string,
      });
    });

    it('by owning all: one role, of which one thing is said', async () => {
      const all = await openDataSource({ environment: postgres.environment });
      const tables = all.entityMetadatas.map(({ tableName }) => `"${tableName}"`);
      await all.destroy();
      const give = (role: string): Promise<unknown> =>
        postgres.query(tables.map((table) => `ALTER TABLE ${table} OWNER TO ${role}`).join(';'));
      await give('service');
      const diagnosis = await ask([], environment).finally(async () => {
        await give('postgres');
        await makeGrants(postgres);
      });
      expectProblem(diagnosis, 'audit-trail', /it may drop it$/, /DB_SERVICE_ROLE/);
      expect(said(diagnosis, 'audit-trail')).toHaveLength(1);
      expect(said(diagnosis, 'role').map(({ status }) => status)).toEqual(['advice']);
    });
  });

  it('has a role whose password expires', async () => {
    await postgres.query(`ALTER ROLE service VALID UNTIL '${inDays(12).toISOString()}'`);
    const diagnosis = await ask([], environment).finally(() =>
      postgres.query(`ALTER ROLE service VALID UNTIL 'infinity'`),
    );
    expect(said(diagnosis, 'role')).toContainEqual(
      expect.objectContaining({
        status: 'advice',
        found: expect.stringMatching(
          /^The password of the role service expires on \d{4}-/,
        ) as string,
        todo: expect.stringMatching(/^ALTER ROLE service VALID UNTIL 'infinity'/) as string,
      }),
    );
  });

  it('has a database that takes no writes', async () => {
    await postgres.query('ALTER ROLE service SET default_transaction_read_only = on');
    const diagnosis = await ask([], environment).finally(() =>
      postgres.query('ALTER ROLE service RESET default_transaction_read_only'),
    );
    expectProblem(diagnosis, 'primary', /takes no writes/, /when the disk is full/);
  });

  it('has somebody who holds the others up', async () => {
    const holder = postgres.query(
      `BEGIN; LOCK TABLE rate_limit IN EXCLUSIVE MODE; SELECT pg_sleep(60)`,
    );
    holder.catch(() => undefined);
    await waitUntil(async () => (await locks('granted')) > 0);
    const waiter = postgres.query(
      `SET application_name = 'waiter'; LOCK TABLE rate_limit IN EXCLUSIVE MODE`,
    );
    waiter.catch(() => undefined);
    await waitUntil(
      async () =>
        (await locks(`NOT granted AND waitstart < clock_timestamp() - interval '2.1 s'`)) > 0,
    );
    const diagnosis = await ask([], environment);
    await postgres.query(
      `SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE relation = 'rate_limit'::regclass AND mode = 'ExclusiveLock'`,
    );
    await Promise.allSettled([holder, waiter]);
    expectProblem(diagnosis, 'activity', /has waited for a lock for \d+ s/, /pg_terminate_backend/);
  });

  async function locks(which: string): Promise<number> {
    const [row] = await postgres.query<{ count: number }>(
      `SELECT count(*)::int FROM pg_locks
        WHERE relation = 'rate_limit'::regclass AND mode = 'ExclusiveLock' AND ${which}`,
    );
    return row?.count ?? 0;
  }

  // The last: the server is another one after it.
  it('has a standby for its database', async () => {
    const [{ data_directory: data } = { data_directory: '' }] = await postgres.query<{
      data_directory: string;
    }>('SHOW data_directory');
    await postgres.stop();
    const signal = join(data, 'standby.signal');
    await writeFile(signal, '', { mode: 0o666 });
    await chmod(signal, 0o666);
    await postgres.startAgain();
    const diagnosis = await ask([], environment);
    expectProblem(diagnosis, 'primary', /This is a standby/, /Point INSTANCE_HOST at the primary/);
  });
});

describe('a database', () => {
  let database: MigratedDatabase;

  beforeEach(async () => {
    database = await createMigratedDatabase();
  });

  afterEach(() => database.drop());

  function askInside(): Promise<Diagnosis> {
    return ask([], { ...database.owner, SECRET_KEY: TEST_SECRET_KEY });
  }

  it('of a superuser, that a power cut can destroy', async () => {
    const diagnosis = await askInside();
    expect(diagnosis.status).toBe(1);
    // Other tests use the server, too, and perhaps all of its connections.
    expect(problems(diagnosis).filter((name) => name !== 'connections')).toEqual([
      'durability',
      'role',
      'audit-trail',
    ]);
    expect(said(diagnosis, 'durability')[0]?.todo).toMatch(/ALTER SYSTEM SET fsync = on/);
    expect(said(diagnosis, 'role')[0]?.todo).toMatch(/another role, .* DB_SERVICE_ROLE/);
    expect(said(diagnosis, 'connections').map(({ found }) => found)).toContainEqual(
      'No running service is connected to this database',
    );
  });

  it('without the last migration', async () => {
    await database.query(`DELETE FROM user_account_migration
      WHERE id = (SELECT max(id) FROM user_account_migration)`);
    const [check] = said(await askInside(), 'migrations');
    expect(check).toMatchObject({ status: 'problem' });
    expect(check?.found).toMatch(/^Migrations are pending, .*: \w+\d{13}$/);
    expect(check?.todo).toMatch(/typeorm migration:run/);
  });

  it('without any, and of a newer version', async () => {
    const empty = await createDatabase();
    const diagnosis = await ask([], { ...empty.environment, SECRET_KEY: TEST_SECRET_KEY });
    await empty.drop();
    expect(said(diagnosis, 'migrations')[0]?.status).toBe('problem');
    await database.query(`INSERT INTO user_account_migration ("timestamp", name)
      VALUES (4102444800000, 'Tomorrow4102444800000')`);
    await database.query('ALTER TABLE "user" ADD COLUMN tomorrow text');
    const newer = await askInside();
    expect(said(newer, 'migrations')).toEqual([
      expect.objectContaining({
        status: 'ok',
        found: expect.stringContaining('Tomorrow') as string,
      }),
    ]);
    expect(said(newer, 'schema')[0]).toMatchObject({ status: 'ok' });
  });

  it('that somebody has changed', async () => {
    await database.query(`
      ALTER TABLE user_session DROP COLUMN user_agent;
      DROP INDEX user_session_expires_at_idx;
      UPDATE pg_index SET indisvalid = false
       WHERE indexrelid = 'user_session_user_id_idx'::regclass`);
    const diagnosis = await askInside();
    expect(diagnosis.status).toBe(1);
    expect(said(diagnosis, 'schema')).toMatchObject([{ status: 'problem' }]);
    const [{ todo } = { todo: '' }] = said(diagnosis, 'schema');
    expect(todo).toContain('ALTER TABLE "user_session" ADD "user_agent"');
    expect(todo).toContain('CREATE INDEX "user_session_expires_at_idx"');
    expect(said(diagnosis, 'indexes')).toMatchObject([
      { status: 'problem', todo: 'REINDEX INDEX CONCURRENTLY user_session_user_id_idx' },
    ]);
  });

  it('without which the service is not ready', async () => {
    const empty = await createDatabase();
    const service = await startService({ ...empty.environment, SECRET_KEY: TEST_SECRET_KEY });
    const diagnosis = await ask(['--url', service.url]);
    await service.stop();
    await empty.drop();
    expectProblem(diagnosis, 'ready', /lives and is not ready \(503\)/, /run the migrations/);
  });

  it('with hashes of before', async () => {
    await database.query(
      `INSERT INTO "user" (username, email, password) VALUES ('a', 'a@example.com', $1)`,
      [`$2b$04$${'a'.repeat(53)}`],
    );
    expect(said(await askInside(), 'hashes')[0]).toMatchObject({
      status: 'advice',
      found: '100 % of the accounts have a weaker hash than new ones',
    });
  });
});

describe('where nothing answers', () => {
  it.each([
    [
      'a name that nobody has',
      () => 'https://accounts.invalid',
      /^DNS: the name accounts\.invalid/,
    ],
    ['a port at which nobody listens', closedUrl, /^TCP: nothing answers .*ECONNREFUSED/],
  ])('says which step failed: %s', async (_what, urlOf, found) => {
    const diagnosis = await ask(['--url', await urlOf()]);
    expect([diagnosis.status, diagnosis.reached]).toEqual([2, false]);
    expect(said(diagnosis, 'reachable')[0]?.found).toMatch(found);
  });

  it('says which step failed: TLS, and HTTP', async () => {
    const server = createTcpServer((socket) =>
      socket.on('data', () => socket.end('220 hello\r\n')),
    );
    const { port } = new URL(await listen(server));
    const tls = await ask(['--url', `https://localhost:${port}`]);
    expect([tls.status, said(tls, 'reachable')[0]?.found]).toEqual([
      2,
      expect.stringMatching(/^TLS: no handshake/),
    ]);
    const http = await ask(['--url', `http://localhost:${port}`]);
    expect([http.status, said(http, 'reachable')[0]?.found]).toEqual([
      2,
      expect.stringMatching(/^HTTP: no answer \(HPE_/),
    ]);
    server.close();
  });

  it('says so of a database', async () => {
    const diagnosis = await ask([], {
      INSTANCE_HOST: '127.0.0.1',
      DB_PORT: new URL(await closedUrl()).port,
      DB_USER: 'service',
      DB_PASS: ROLE_PASS,
      DB_NAME: 'accounts',
      SECRET_KEY: TEST_SECRET_KEY,
    });
    expect([diagnosis.status, diagnosis.reached, problems(diagnosis)]).toEqual([
      2,
      false,
      ['database'],
    ]);
    expect(said(diagnosis, 'database')[0]).toMatchObject({
      found: 'The database cannot be reached: accounts at 127.0.0.1 (ECONNREFUSED)',
      todo: expect.stringMatching(/start PostgreSQL/) as string,
    });
  });

  it.each([
    [['--url', 'accounts.example.com'], /It has to be like https/],
    [['--url', 'https://hana:secret@example.com'], /a host and perhaps a path/],
    [['--login', 'hana'], /--login needs --url/],
    [['--nothing'], /unknown option/],
    [[], /start the service first, or say --url/],
  ])('cannot look with %j', async (parameters, errors) => {
    const data = join(HOME, 'no-data');
    const { outcome } = spawnCommand('doctor', parameters, { DATA_DIR: data });
    const { status, output, errors: words } = await outcome;
    expect([status, output]).toEqual([2, '']);
    expect(words).toMatch(errors);
    expect(existsSync(data)).toBe(false);
  });
});

const isInstalled = spawnSync('nginx', ['-v']).status === 0;
if (!isInstalled) process.stdout.write('skipped: the doctor before nginx (it is not installed)\n');

(isInstalled ? describe : describe.skip)('nginx with deploy/tls.conf', () => {
  let database: TestDatabase;
  let service: RunningService;
  let nginx: ChildProcess;
  let url: string;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    service = await startServiceOn(database, { TRUST_PROXY: '1', BCRYPT_COST: '10' });
    await signUp(service, 'hana');
    const directory = mkdtempSync(join(HOME, 'nginx-'));
    await chmod(directory, 0o711);
    const [port, plainPort] = [await freePort(), await freePort()];
    url = `https://localhost:${String(port)}`;
    await mkdir(join(directory, 'tls'));
    await writeFile(join(directory, 'tls.crt'), CERTIFICATE.cert);
    await writeFile(join(directory, 'tls.key'), CERTIFICATE.key);
    await writeFile(
      join(directory, 'tls/tls.conf'),
      readFileSync('deploy/tls.conf', 'utf8')
        .replace('listen 443 ssl', `listen 127.0.0.1:${String(port)} ssl`)
        // Debian's is older than this directive.
        .replace('http2 on;', '')
        .replaceAll('/etc/nginx/tls/', `${directory}/`)
        .replace('@HTTPS_PORT@', `:${String(port)}`),
    );
    await writeFile(
      join(directory, 'nginx.conf'),
      readFileSync('nginx.conf', 'utf8')
        .replaceAll(' /tmp/', ` ${directory}/`)
        .replace('server backend:8000', `server 127.0.0.1:${new URL(service.url).port}`)
        .replace('listen 80;', `listen 127.0.0.1:${String(plainPort)};`)
        .replace('listen 127.0.0.1:8080;', `listen unix:${directory}/health;`)
        .replace('/usr/share/nginx/html', join(process.cwd(), 'frontend/dist'))
        .replace('/dev/stdout', `${directory}/access.log`)
        .replace('/dev/stderr', `${directory}/error.log`),
    );
    nginx = spawn('nginx', ['-c', join(directory, 'nginx.conf'), '-g', 'daemon off;'], {
      stdio: 'ignore',
    });
    await waitUntil(() =>
      findWay(new URL(url)).then(
        () => true,
        () => false,
      ),
    );
  });

  afterAll(async () => {
    if (nginx.kill('SIGTERM')) await once(nginx, 'close');
    await service.stop();
    await database.drop();
  });

  it('has no problem', async () => {
    const parameters = ['--url', url, '--login', 'hana', '--stdin'];
    const diagnosis = await ask(parameters, {}, `${PASSWORD}\n`);
    expect(diagnosis.checks.filter(({ status }) => status === 'problem')).toEqual([]);
    expect(diagnosis.status).toBe(0);
    expect(said(diagnosis, 'cookies')[0]?.found).toMatch(
      /__Host-session; Path=\/; HttpOnly; Secure/,
    );
  });
});

async function listen(server: ReturnType<typeof createTcpServer>): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

/** Where nobody listens. */
async function closedUrl(): Promise<string> {
  return `http://127.0.0.1:${String(await freePort())}`;
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  const { port } = new URL(await listen(server));
  server.close();
  await once(server, 'close');
  return Number(port);
}
