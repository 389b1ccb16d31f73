import { form, registration } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn } from './support/service';

describe('Accept-Language', () => {
  let database: TestDatabase;
  let service: RunningService;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    service = await startServiceOn(database);
    await service.fetch('/user/create', registration('hana'));
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  async function told(path: string, init: RequestInit, language?: string): Promise<unknown> {
    // fetch itself asks for any language, as most programs do that ask for none.
    const headers = new Headers(init.headers);
    if (language !== undefined) headers.set('accept-language', language);
    const response = await service.fetch(path, { ...init, headers });
    const { detail } = (await response.json()) as { detail: string | { msg: string }[] };
    expect(response.headers.get('vary')).toBe('Accept-Language');
    return [
      response.headers.get('content-language'),
      ...(typeof detail === 'string' ? [detail] : detail.map(({ msg }) => msg)),
    ];
  }

  const taken = registration('hana');
  const mixed = registration(' ', { email: 'nope' });
  const wrong = form({ username: 'hana', password: 'wrong' });

  it("is the reference's mix without a wish, or for a language that is none of ours", async () => {
    for (const language of [
      undefined,
      '*',
      'fr',
      'de-DE,de;q=0.9',
      'klingon;q=x',
      '*;q=0.5, ko;q=0.1',
    ]) {
      expect(await told('/user/create', mixed, language)).toEqual([
        null,
        '빈 값은 허용되지 않습니다.',
        'value is not a valid email address',
      ]);
      expect(await told('/user/login', wrong, language)).toEqual([
        null,
        'Incorrect username or password',
      ]);
      expect(await told('/user/create', taken, language)).toEqual([
        null,
        '이미 존재하는 사용자입니다.',
      ]);
    }
  });

  it('is Korean for ko', async () => {
    for (const language of ['ko', 'ko-KR,ko;q=0.9,en;q=0.8', 'fr, ko;q=0.5']) {
      expect(await told('/user/create', mixed, language)).toEqual([
        'ko',
        '빈 값은 허용되지 않습니다.',
        '올바른 이메일 주소가 아닙니다.',
      ]);
      expect(await told('/user/login', wrong, language)).toEqual([
        'ko',
        '사용자 이름 또는 비밀번호가 올바르지 않습니다.',
      ]);
      expect(await told('/nope', {}, language)).toEqual(['ko', '찾을 수 없습니다.']);
    }
  });

  it('is English for en', async () => {
    for (const language of ['en', 'en-US,en;q=0.9,ko;q=0.8']) {
      expect(await told('/user/create', mixed, language)).toEqual([
        'en',
        'This must not be blank.',
        'value is not a valid email address',
      ]);
      expect(await told('/user/create', taken, language)).toEqual([
        'en',
        'A user with this username or email address already exists.',
      ]);
    }
  });
});
