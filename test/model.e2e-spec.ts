import { randomInt } from 'node:crypto';
import { form, JSON_TYPE, statusWith, type Tokens } from './support/client';
import { claimsOf } from './support/token';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn } from './support/service';

const PEOPLE = 8;
const STEPS = 60;

/** A token that is alive, and what renews it. */
interface Known {
  readonly token: string;
  readonly refreshToken?: string | undefined;
}

/** Somebody who does one thing after the other, while the others do theirs. */
class Person {
  username: string;
  password = 'correct horse 9';
  exists = false;
  readonly logins: Known[] = [];
  /** Every token of every time: what has died stays dead, whoever has the name then. */
  readonly dead: string[] = [];

  constructor(
    readonly number: number,
    private readonly services: readonly RunningService[],
  ) {
    this.username = `person ${String(number)}`;
  }

  private get service(): RunningService {
    const service = this.services[randomInt(this.services.length)];
    if (service === undefined) throw new Error('There is a service');
    return service;
  }

  async step(): Promise<void> {
    if (!this.exists) return this.register();
    const steps = [
      () => this.logIn(),
      () => this.logIn(),
      () => this.use(),
      () => this.use(),
      () => this.refresh(),
      () => this.logOut(),
      () => this.changePassword(),
      () => this.rename(),
      () => this.endOthers(),
      () => this.deleteAccount(),
    ];
    await steps[randomInt(steps.length)]?.();
  }

  private async register(): Promise<void> {
    const { username, password } = this;
    const email = `${String(this.number)}@example.com`;
    const body = { username, password1: password, password2: password, email };
    expect(await this.json('POST', '/user/create', body)).toBe(204);
    this.exists = true;
  }

  private async logIn(): Promise<void> {
    const fields = { username: this.username, password: this.password, scope: 'offline_access' };
    const response = await this.service.fetch('/user/login', form(fields));
    expect(response.status).toBe(200);
    this.remember((await response.json()) as Tokens);
    const wrong = form({ ...fields, password: 'another horse' });
    expect((await this.service.fetch('/user/login', wrong)).status).toBe(401);
  }

  private remember({ access_token: token, refresh_token: refreshToken }: Tokens): void {
    this.logins.push({ token, refreshToken });
  }

  private any(): Known | undefined {
    return this.logins.length === 0 ? undefined : this.logins[randomInt(this.logins.length)];
  }

  private async use(): Promise<void> {
    const login = this.any();
    if (login !== undefined) expect(await statusWith(this.service, login.token)).toBe(200);
  }

  private async refresh(): Promise<void> {
    const login = this.any();
    if (login?.refreshToken === undefined) return;
    const response = await this.service.fetch(
      '/user/token',
      form({ grant_type: 'refresh_token', refresh_token: login.refreshToken }),
    );
    expect(response.status).toBe(200);
    this.logins.splice(this.logins.indexOf(login), 1);
    this.remember((await response.json()) as Tokens);
  }

  private async logOut(): Promise<void> {
    const login = this.any();
    if (login === undefined) return;
    expect(await this.json('POST', '/user/logout', undefined, login)).toBe(204);
    this.bury(login);
  }

  private async changePassword(): Promise<void> {
    const login = this.any();
    if (login === undefined) return;
    const next = `horse ${String(randomInt(1e9))} battery`;
    const body = { current_password: this.password, password1: next, password2: next };
    expect(await this.json('POST', '/user/password', body, login)).toBe(204);
    this.password = next;
    this.buryAllBut(login);
  }

  private async rename(): Promise<void> {
    const login = this.any();
    if (login === undefined) return;
    this.username = `person ${String(this.number)} ${String(randomInt(3))}`;
    const response = await this.send('PATCH', '/user/me', { username: this.username }, login);
    expect(response.status).toBe(200);
    // Logins with a refresh token live on, but not their tokens.
    for (const { token } of this.logins) this.dead.push(token);
    const offline = this.logins.filter((other) => other !== login && other.refreshToken);
    this.logins.length = 0;
    this.remember((await response.json()) as Tokens);
    for (const { refreshToken = '' } of offline) {
      const renewed = await this.service.fetch(
        '/user/token',
        form({ grant_type: 'refresh_token', refresh_token: refreshToken }),
      );
      expect(renewed.status).toBe(200);
      this.remember((await renewed.json()) as Tokens);
    }
  }

  private async endOthers(): Promise<void> {
    const login = this.any();
    if (login === undefined) return;
    expect(await this.json('DELETE', '/user/sessions', undefined, login)).toBe(204);
    this.buryAllBut(login);
  }

  private async deleteAccount(): Promise<void> {
    const login = this.any();
    if (login === undefined) return;
    const body = { password: this.password };
    expect(await this.json('POST', '/user/delete', body, login)).toBe(204);
    this.buryAllBut(undefined);
    this.exists = false;
  }

  private bury(login: Known): void {
    this.dead.push(login.token);
    this.logins.splice(this.logins.indexOf(login), 1);
    // Refreshed tokens of the same login die with it.
    const sid = claimsOf(login.token)['sid'];
    for (const other of this.logins.filter(({ token }) => claimsOf(token)['sid'] === sid))
      this.bury(other);
  }

  private buryAllBut(kept: Known | undefined): void {
    const sid = kept && claimsOf(kept.token)['sid'];
    for (const login of [...this.logins]) {
      if (this.logins.includes(login) && claimsOf(login.token)['sid'] !== sid) this.bury(login);
    }
  }

  /** What holds after all is done: the living live, and the dead are dead, in every process. */
  async check(): Promise<void> {
    for (const service of this.services) {
      for (const { token } of this.logins) expect(await statusWith(service, token)).toBe(200);
      for (const token of this.dead) expect(await statusWith(service, token)).toBe(401);
    }
  }

  private send(method: string, path: string, body?: object, login?: Known): Promise<Response> {
    return this.service.fetch(path, {
      method,
      headers: { ...JSON_TYPE, ...(login && { authorization: `Bearer ${login.token}` }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  private async json(method: string, path: string, body?: object, login?: Known): Promise<number> {
    return (await this.send(method, path, body, login)).status;
  }
}

describe('many people who do whatever they like, at two processes', () => {
  let database: TestDatabase;
  let services: RunningService[];

  beforeAll(async () => {
    database = await createMigratedDatabase();
    services = await Promise.all([startServiceOn(database), startServiceOn(database)]);
  });

  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await database.drop();
  });

  it('find that what must live lives, and what must be dead is dead', async () => {
    const people = Array.from({ length: PEOPLE }, (_, i) => new Person(i, services));
    await Promise.all(
      people.map(async (person) => {
        for (let step = 0; step < STEPS; step += 1) await person.step();
      }),
    );
    expect(people.flatMap(({ dead }) => dead).length).toBeGreaterThan(PEOPLE);
    await Promise.all(people.map((person) => person.check()));
    for (const service of services) expect(service.output()).not.toMatch(/ERROR|"level":50/);
  });
});
