import { form, logInWith, PASSWORD, post, registration, statusWith } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { TestMailServer } from './support/mail-server';
import { type RunningService, startServiceOn, waitUntil } from './support/service';

const OLD = 'the key that has signed all of it until today';
const NEW = 'the key that is to sign all of it from now on';
const NEXT = 'battery staple 8';
/** Rounds of every client between two changes. */
const ROUNDS = 3;

/** Two processes, each of which can be replaced; requests come to both as to one. */
class Deployment {
  private readonly services: (RunningService | undefined)[] = [undefined, undefined];
  private readonly underWay = new Map<RunningService, number>();
  private turn = 0;

  constructor(private readonly start: (keys: Keys) => Promise<RunningService>) {}

  /** Has one process after the other run with these keys. @param between what is waited for */
  async roll(keys: Keys, between: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    for (const [i, old] of this.services.entries()) {
      const next = await this.start(keys);
      this.services[i] = next;
      if (old !== undefined) {
        await waitUntil(() => Promise.resolve((this.underWay.get(old) ?? 0) === 0));
        await old.stop();
      }
      await between();
    }
  }

  /** Sends a request to the one whose turn it is. */
  async fetch(path: string, init?: RequestInit): Promise<Response> {
    this.turn += 1;
    const service = this.services[this.turn % this.services.length];
    if (service === undefined) throw new Error('It is not running yet');
    this.underWay.set(service, (this.underWay.get(service) ?? 0) + 1);
    try {
      const response = await service.fetch(path, init);
      const body = await response.arrayBuffer();
      return new Response(body.byteLength === 0 ? null : body, response);
    } finally {
      this.underWay.set(service, (this.underWay.get(service) ?? 0) - 1);
    }
  }

  /** As a client of one process would see it. */
  get asOne(): RunningService {
    return {
      url: '',
      output: () => this.services.map((service) => service?.output() ?? '').join('\n'),
      fetch: (path, init) => this.fetch(path, init),
      stop: async () => {
        for (const service of this.services) await service?.stop();
        return 0;
      },
    };
  }
}

/** As the environment has them. */
type Keys = Readonly<Record<'SECRET_KEY' | 'SECRET_KEY_PREVIOUS', string>>;

describe('a rotation of SECRET_KEY', () => {
  let database: TestDatabase;
  let mailServer: TestMailServer;

  beforeAll(async () => {
    [database, mailServer] = await Promise.all([createMigratedDatabase(), TestMailServer.start()]);
  });

  afterAll(async () => {
    await Promise.all([mailServer.stop(), database.drop()]);
  });

  it('in three steps, one process after the other, logs nobody out for a moment', async () => {
    const deployment = new Deployment((keys) =>
      startServiceOn(database, { RATE_LIMIT: 'off', ...mailServer.environment, ...keys }),
    );
    const service = deployment.asOne;
    await deployment.roll({ SECRET_KEY: OLD, SECRET_KEY_PREVIOUS: '' });
    const email = 'hana@example.com';
    // Of somebody who logs in all the time, the earliest logins end.
    for (const body of [registration('hana', { email }), registration('minsu')]) {
      expect((await service.fetch('/user/create', body)).status).toBe(204);
    }

    // What somebody may have from before, and use at any moment.
    const { access_token: token } = await logInWith(service, { username: 'hana' });
    let { refresh_token: refresh = '' } = await logInWith(service, {
      username: 'hana',
      scope: 'offline_access',
    });
    const session = await service.fetch('/user/session', {
      ...form({ username: 'hana', password: PASSWORD }),
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    const cookie = session.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
    await service.fetch('/user/password/forgot', post({ email }));
    const mail = await mailServer.waitForMail(email, 2);

    const statuses = new Map<string, Set<number>>();
    const saw = (what: string, status: number): void => {
      statuses.set(what, (statuses.get(what) ?? new Set()).add(status));
    };
    const refreshOnce = async (): Promise<{ access_token: string; refresh_token: string }> => {
      const request = form({ grant_type: 'refresh_token', refresh_token: refresh });
      const response = await service.fetch('/user/token', request);
      saw('refresh', response.status);
      return (await response.json()) as { access_token: string; refresh_token: string };
    };
    const clients: Record<string, () => Promise<void>> = {
      token: async () => {
        saw('token', await statusWith(service, token));
      },
      cookie: async () => {
        saw('cookie', (await service.fetch('/user/me', { headers: { cookie } })).status);
      },
      // A token of one process is good at the other, at once.
      login: async () => {
        const { access_token: fresh } = await logInWith(service, { username: 'minsu' });
        for (let i = 0; i < 3; i += 1) saw('login', await statusWith(service, fresh));
      },
      // One whose answer was lost is asked for again, of the other process.
      refresh: async () => {
        const [first, again] = [await refreshOnce(), await refreshOnce()];
        expect(again.refresh_token).toBe(first.refresh_token);
        saw('refreshed', await statusWith(service, first.access_token));
        refresh = first.refresh_token;
      },
    };
    let going = true;
    const rounds = new Map<string, number>();
    const running = Promise.all(
      Object.entries(clients).map(async ([name, client]) => {
        for (let round = 1; going; round += 1) {
          await client();
          rounds.set(name, round);
        }
      }),
    );
    const clientsDoAll = async (): Promise<void> => {
      const enough = Object.keys(clients).map(
        (name) => [name, (rounds.get(name) ?? 0) + ROUNDS] as const,
      );
      await waitUntil(() =>
        Promise.resolve(enough.every(([name, wanted]) => (rounds.get(name) ?? 0) >= wanted)),
      );
    };

    try {
      await clientsDoAll();
      for (const keys of [
        { SECRET_KEY: OLD, SECRET_KEY_PREVIOUS: NEW },
        { SECRET_KEY: NEW, SECRET_KEY_PREVIOUS: OLD },
      ]) {
        await deployment.roll(keys, clientsDoAll);
      }
      const { code } = await mailServer.waitForMail(email);
      const verified = await service.fetch(
        '/user/email/verify',
        post({ token: code, email, password: PASSWORD }),
      );
      expect(verified.status).toBe(204);
    } finally {
      going = false;
      await running;
    }
    expect(Object.fromEntries(statuses)).toEqual({
      token: new Set([200]),
      cookie: new Set([200]),
      login: new Set([200]),
      refresh: new Set([200]),
      refreshed: new Set([200]),
    });

    // Last, once the tokens of before have run out: the old key is good for nothing any more.
    const { access_token: late } = await logInWith(service, { username: 'hana' });
    await deployment.roll({ SECRET_KEY: NEW, SECRET_KEY_PREVIOUS: '' });
    expect(await statusWith(service, token)).toBe(401);
    expect(await statusWith(service, late)).toBe(200);
    // What the key has nothing to do with is as good as before.
    const refreshed = await service.fetch(
      '/user/token',
      form({ grant_type: 'refresh_token', refresh_token: refresh }),
    );
    expect(refreshed.status).toBe(200);
    const reset = await service.fetch(
      '/user/password/reset',
      post({ token: mail.token, password1: NEXT, password2: NEXT }),
    );
    expect(reset.status).toBe(204);
    await service.stop();
  }, 120_000);
});
