import { createMigratedDatabase, type TestDatabase } from '../support/database';
import { type RunningService, startServiceOn } from '../support/service';
import { RECORDED } from './recorded';

interface Detail {
  readonly loc: unknown;
  readonly msg: string;
  readonly type: string;
}

describe("the reference's recorded answers, in their order", () => {
  let database: TestDatabase;
  let service: RunningService;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    service = await startServiceOn(database, {
      PASSWORD_MIN_LENGTH: '1',
      PASSWORD_BLOCKLIST: 'off',
    });
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  it.each(RECORDED.map((row) => [row.name, row] as const))('%s', async (_name, recorded) => {
    const { method, path, headers, body } = recorded.request;
    const response = await service.fetch(path, {
      method,
      ...(headers && { headers }),
      ...(body && { body }),
    });
    const text = await response.text();
    const answer: unknown = text === '' ? null : JSON.parse(text);

    expect(response.status).toBe(recorded.response.status);
    for (const [name, value] of Object.entries(recorded.response.headers)) {
      expect([name, response.headers.get(name)]).toEqual([name, value]);
    }
    if (recorded.response.status === 204) expect(text).toBe('');
    expect(essence(answer)).toEqual(essence(recorded.response.body));
  });
});

/** What has to be equal of a body: `detail`, or what a login answers, without what may be added. */
function essence(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  if ('access_token' in body) {
    const { access_token: token, token_type, username } = body as Record<string, unknown>;
    return { token: decoded(token), token_type, username };
  }
  const { detail } = body as { detail: unknown };
  if (!Array.isArray(detail)) return { detail };
  return {
    detail: (detail as Detail[]).map(({ loc, msg, type }) =>
      type === 'value_error.jsondecode' ? { type } : { loc, msg, type },
    ),
  };
}

/** Header and subject of a token, and that it has the reference's claims, given it or its record. */
function decoded(token: unknown): unknown {
  if (typeof token !== 'string') {
    const { header, claims, sub } = token as { header: object; claims: string[]; sub: string };
    return { header, sub, has: claims };
  }
  const [header, claims] = token
    .split('.')
    .slice(0, 2)
    .map(
      (part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>,
    );
  return {
    header,
    sub: claims?.['sub'],
    has: ['sub', 'exp'].filter((name) => name in (claims ?? {})),
  };
}
