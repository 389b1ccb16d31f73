import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parseSettings, Settings, SettingsError } from './settings';

const DATABASE = { INSTANCE_HOST: 'db', DB_USER: 'u', DB_NAME: 'd' };

function problems(environment: Record<string, string>): readonly string[] {
  try {
    parseSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('parseSettings', () => {
  it('has a default for everything', () => {
    expect(parseSettings({})).toEqual(new Settings());
  });

  it('reads numbers, switches and texts, and leaves other names aside', () => {
    expect(
      parseSettings({
        ...DATABASE,
        PORT: '0',
        PASSWORD_BLOCKLIST: 'OFF',
        ROOT_PATH: '/',
        HOME: '/x',
      }),
    ).toEqual(
      Object.assign(new Settings(), {
        ...DATABASE,
        PORT: 0,
        PASSWORD_BLOCKLIST: false,
        ROOT_PATH: '',
      }),
    );
  });

  it('takes origins as browsers name them', () => {
    const { corsOrigins } = parseSettings({ CORS_ORIGINS: 'https://a.example, http://[::1]:5173' });
    expect(corsOrigins).toEqual(['https://a.example', 'http://[::1]:5173']);
    expect(parseSettings({}).corsOrigins).toEqual([]);
  });

  it.each([
    [
      { COEXIST_WITH_FASTAPI: 'on', PASSWORD_SCHEME: 'argon2id' },
      [
        'PASSWORD_SCHEME must be bcrypt while COEXIST_WITH_FASTAPI is on: the FastAPI backend verifies nothing else',
      ],
    ],
    [{ PORT: 'eighty' }, ['PORT must be a whole number from 0 to 65535']],
    ...[
      '*',
      'null',
      'app.example.com',
      'https://app.example.com/',
      'https://app.example.com/x',
      'https://App.example.com',
      'https://app.example.com:443',
      'ftp://app.example.com',
      'https://app.example.com,',
    ].map((origins): [Record<string, string>, string[]] => [
      { CORS_ORIGINS: origins },
      [
        'CORS_ORIGINS must be origins like https://app.example.com, as browsers name them: no path, no slash at the end, no *; with commas',
      ],
    ]),
    [{ PORT: '65536' }, ['PORT must be a whole number from 0 to 65535']],
    [{ PORT: '-1' }, ['PORT must be a whole number from 0 to 65535']],
    [{ PORT: '8e3' }, ['PORT must be a whole number from 0 to 65535']],
    [{ BCRYPT_COST: '3' }, ['BCRYPT_COST must be a whole number from 4 to 20']],
    [{ BCRYPT_COST: '12.5' }, ['BCRYPT_COST must be a whole number from 4 to 20']],
    [
      { ROOT_PATH: 'api' },
      ['ROOT_PATH must be a path like /api, without a slash at its end, or / for none'],
    ],
    [
      { ROOT_PATH: '/api/' },
      ['ROOT_PATH must be a path like /api, without a slash at its end, or / for none'],
    ],
    [{ PASSWORD_BLOCKLIST: 'yes' }, ['PASSWORD_BLOCKLIST must be on, off, true or false']],
    [
      { ...DATABASE, INSTANCE_HOST: 'postgres://u:p@h/d' },
      ['INSTANCE_HOST must be the name or address of a host, or the directory of a socket; no URL'],
    ],
    [
      { REGISTRATIONS_PER_ADDRESS: '100' },
      [
        'REGISTRATIONS_PER_ADDRESS must be a whole number and second, minute, hour or day, such as 100/hour',
      ],
    ],
    [
      { LOGIN_FAILURES_PER_ACCOUNT: '101' },
      ['LOGIN_FAILURES_PER_ACCOUNT must be a whole number from 10 to 100'],
    ],
    ...['fifteen-letters', 'sixteen letters ', 'sechzehn Zeichen', 'sixteen-letters"'].map(
      (token): [Record<string, string>, string[]] => [
        { METRICS_TOKEN: token },
        [
          'METRICS_TOKEN must be 16 letters, digits or -._~+/ at least, such as openssl rand -hex 32 makes',
        ],
      ],
    ),
    [{ NODE_ENV: 'prod' }, ['NODE_ENV must be one of development, production, test']],
    [
      { INSTANCE_HOST: 'db' },
      [
        'DB_USER is missing: with INSTANCE_HOST set, it must say which to use',
        'DB_NAME is missing: with INSTANCE_HOST set, it must say which to use',
      ],
    ],
    [
      { NODE_ENV: 'production' },
      [
        'INSTANCE_HOST must name a PostgreSQL server in production: the embedded one is for trying, developing and testing',
      ],
    ],
  ])('refuses %j', (environment: Record<string, string>, expected) => {
    expect(problems(environment)).toEqual(expected);
  });

  it.each([
    ['', 0],
    ['2', 2],
    ['loopback', ['loopback']],
    ['10.0.0.0/8, fd00::/8', ['10.0.0.0/8', 'fd00::/8']],
  ])('takes TRUST_PROXY=%s', (TRUST_PROXY, expected) => {
    expect(parseSettings({ TRUST_PROXY }).trustProxy).toEqual(expected);
  });

  it.each([
    'yes',
    '-1',
    '10',
    'proxy.internal',
    '10.0.0.0/33',
    '0.0.0.0/0',
    '10.0.0.0/8/8',
    'loopback,',
    '1.2.3',
  ])('refuses TRUST_PROXY=%s', (TRUST_PROXY) => {
    expect(problems({ TRUST_PROXY })).toEqual([
      'TRUST_PROXY must be the number of proxies before the service, or their addresses or subnets, with commas',
    ]);
  });

  describe('with files of secrets', () => {
    let directory: string;

    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'uas-secrets-'));
    });

    afterEach(() => {
      rmSync(directory, { recursive: true });
    });

    function file(content: string): string {
      const path = join(directory, 'secret');
      writeFileSync(path, content);
      return path;
    }

    const NAMES = ['SECRET_KEY', 'SECRET_KEY_PREVIOUS', 'DB_PASS'] as const;

    it.each([
      ['a secret', 'a secret'],
      ['a secret\n', 'a secret'],
      ['a secret\r\n', 'a secret'],
      [' two\nlines \n\n', ' two\nlines \n'],
      ['\n', ''],
    ])('takes what %j holds', (content, secret) => {
      const path = file(content);
      for (const name of NAMES) {
        expect(parseSettings({ [`${name}_FILE`]: path })[name]).toBe(secret);
      }
    });

    it('measures nothing for a token whose file is empty', () => {
      expect(parseSettings({ METRICS_TOKEN_FILE: file('') }).isMeasured).toBe(false);
      const given = parseSettings({ METRICS_TOKEN_FILE: file('only-for-those-who-watch\n') });
      expect([given.isMeasured, given.METRICS_TOKEN]).toEqual([true, 'only-for-those-who-watch']);
    });

    it('refuses a secret and a file for it, and does not repeat either', () => {
      const path = file('canary');
      for (const name of NAMES) {
        expect(problems({ [name]: 'canary', [`${name}_FILE`]: path })).toEqual([
          `${name}_FILE is set and ${name} too: leave one of them empty`,
        ]);
      }
    });

    it('names every file that cannot be read, beside what else is wrong', () => {
      const missing = join(directory, 'none');
      expect(problems({ SECRET_KEY_FILE: missing, DB_PASS_FILE: directory, PORT: 'x' })).toEqual([
        'SECRET_KEY_FILE cannot be read (ENOENT): it must be a file that the user of the service may read',
        'DB_PASS_FILE cannot be read (EISDIR): it must be a file that the user of the service may read',
        'PORT must be a whole number from 0 to 65535',
      ]);
    });
  });

  it('finds every setting in .env, with its default', () => {
    const tracked = parseEnv(readFileSync('.env', 'utf8'));
    expect(Object.keys(tracked).sort()).toEqual(Object.keys(new Settings()).sort());
    const given = Object.entries(tracked).filter(([, value]) => value !== '');
    expect(parseSettings(Object.fromEntries(given) as Record<string, string>)).toEqual(
      new Settings(),
    );
  });
});
