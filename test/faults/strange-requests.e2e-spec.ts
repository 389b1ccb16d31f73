import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { PASSWORD, signUp } from '../support/client';
import { createMigratedDatabase, type TestDatabase } from '../support/database';
import { Description, type Operation } from '../support/description';
import { type RunningService, startServiceOn } from '../support/service';

const REQUESTS = 20_000;
/** Sent at once. */
const BATCH = 10;

/** A request that is to be sent as it is. */
interface Strange {
  readonly method: string;
  /** As the description has it. */
  readonly template: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | undefined;
}

/** What a field may hold: what people write, what attackers do, and anything at all. */
const value = fc.oneof(
  fc.constantFrom(
    ...['hana', PASSWORD, 'hana@example.com', 'password', 'refresh_token', 'offline_access'],
    ...['', ' ', '\0', '\ud800', '\u202e', '${7*7}', "' OR 1=1 --", '../../etc/passwd', '%00'],
    ...['\r\nSet-Cookie: a=b', 'ﷺ', '\u{10ffff}', '1e400', '__proto__', 'x'.repeat(1025)],
  ),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
);

/** What a field of this name is to hold, for somebody new. */
function plausible(name: string, id: string): string {
  if (name.includes('password')) return PASSWORD;
  if (name === 'email') return `${id}@example.com`;
  if (name === 'grant_type') return 'password';
  return name === 'username' ? id : '';
}

/** What stands in a header: what Node's client lets stand there. */
const headerValue = fc.string({ unit: 'grapheme-ascii', maxLength: 60 });

function wellFormed([name, text]: readonly [string, string]): [string, string] {
  return [name.toWellFormed(), text.toWellFormed()];
}

function maybe<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined, freq: 5 });
}

describe('strange requests', () => {
  let database: TestDatabase;
  let service: RunningService;
  let description: Description;
  let token: string;
  const agent = new Agent({ keepAlive: true, maxSockets: BATCH });

  beforeAll(async () => {
    database = await createMigratedDatabase();
    service = await startServiceOn(database, {
      NODE_ENV: 'production',
      // All of it comes from one address.
      RATE_LIMIT: 'off',
    });
    description = await Description.of(service);
    token = await signUp(service, 'hana');
  });

  afterAll(async () => {
    agent.destroy();
    await service.stop();
    await database.drop();
  });

  /** The names of the fields that a description wants in a body. */
  function fieldsOf({ requestBody }: Operation): string[] {
    return Object.values(requestBody?.content ?? {}).flatMap(({ schema }) => {
      const [, name = ''] = /schemas\/(\w+)/.exec(JSON.stringify(schema)) ?? [];
      return Object.keys(description.document.components.schemas[name]?.properties ?? {});
    });
  }

  function bodyFor(operation: Operation): fc.Arbitrary<Pick<Strange, 'body' | 'headers'>> {
    const names = fieldsOf(operation);
    // All as it should be, but for some of it.
    const wrong = fc.dictionary(
      fc.constantFrom(...names, 'x'),
      fc.oneof({ weight: 3, arbitrary: value }, fc.jsonValue(), fc.constant(undefined)),
      { maxKeys: 2 },
    );
    const fields = fc.tuple(fc.uuid(), wrong).map(([id, rest]) => {
      const right = Object.fromEntries(names.map((name) => [name, plausible(name, id)]));
      return { ...right, ...rest };
    });
    const asJson = fields.map((body) => JSON.stringify(body));
    const asForm = fc
      .array(fc.tuple(fc.oneof(fc.constantFrom(...names, 'x'), value), value), { maxLength: 8 })
      .map((pairs) => new URLSearchParams(pairs.map(wellFormed)).toString());
    const asRightForm = fields.map((right) =>
      new URLSearchParams(
        Object.entries(right).map(([name, text]) =>
          wellFormed([name, typeof text === 'string' ? text : JSON.stringify(text ?? null)]),
        ),
      ).toString(),
    );
    const typed = fc.oneof(
      { weight: 4, arbitrary: asJson.map((body) => ['application/json', body] as const) },
      {
        weight: 4,
        arbitrary: fc
          .oneof(asRightForm, asForm)
          .map((body) => ['application/x-www-form-urlencoded', body] as const),
      },
      fc.json().map((body) => ['application/json', body] as const),
      asForm.map((body) => ['multipart/form-data; boundary=x', body] as const),
      fc.tuple(headerValue, fc.uint8Array({ maxLength: 300 })),
    );
    const encoding = fc.constantFrom('identity', 'gzip', 'br', 'compress', 'x');
    return fc
      .tuple(maybe(typed), fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, encoding))
      .map(([content, coding]) => ({
        body: content?.[1],
        headers: {
          ...(content !== undefined && { 'content-type': content[0] }),
          ...(coding !== undefined && { 'content-encoding': coding }),
        },
      }));
  }

  function credentials(): fc.Arbitrary<Record<string, string>> {
    return fc.oneof(
      fc.constant({}),
      // As it is when the request is sent: others may have ended it.
      { weight: 6, arbitrary: fc.constant({ authorization: 'Bearer {token}' }) },
      headerValue.map((authorization) => ({ authorization })),
      headerValue.map((word) => ({ authorization: `Bearer ${word}` })),
      headerValue.map((word) => ({ cookie: `session=${word}`, 'sec-fetch-site': 'same-origin' })),
    );
  }

  function strange(): fc.Arbitrary<Strange> {
    const operations = Object.entries(description.document.paths).flatMap(([template, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ template, method, operation })),
    );
    return fc.constantFrom(...operations).chain(({ template, method, operation }) =>
      fc
        .record({
          content: bodyFor(operation),
          credentials: credentials(),
          id: fc.oneof(
            fc.uuid(),
            value.map((id) => encodeURIComponent(id.toWellFormed())),
          ),
          query: fc.array(
            fc.tuple(
              fc.constantFrom('page', 'size', 'include_current', 'x'),
              fc.oneof(value, fc.integer().map(String)),
            ),
            { maxLength: 3 },
          ),
          language: maybe(fc.oneof(fc.constantFrom('ko', 'en', 'ko-KR,en;q=0.5'), headerValue)),
          origin: maybe(headerValue),
          prefix: fc.constantFrom('', '/api'),
        })
        .map(({ content, credentials, id, query, language, origin, prefix }) => ({
          method: method.toUpperCase(),
          template,
          target: `${prefix}${template.replace('{id}', id === '' ? 'x' : id)}?${new URLSearchParams(
            query.map(wellFormed),
          ).toString()}`,
          headers: {
            ...content.headers,
            ...credentials,
            ...(language !== undefined && { 'accept-language': language }),
            ...(origin !== undefined && { origin }),
          },
          body: content.body,
        })),
    );
  }

  /** @returns what is wrong with the answer */
  async function send({ method, template, target, headers, body }: Strange): Promise<unknown> {
    const operation = description.document.paths[template]?.[method.toLowerCase()];
    if (operation === undefined) throw new Error('It is from there');
    const asking = request(`${service.url}${target}`, {
      method,
      agent,
      headers: {
        ...Object.fromEntries(
          Object.entries(headers).map(([name, text]) => [name, text.replace('{token}', token)]),
        ),
        // Of a GET or DELETE, Node would not say it.
        ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
      },
    });
    asking.end(body);
    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    const { statusCode: status = 0, headers: answered } = answer;
    const type = answered['content-type'] ?? '';
    return description.problemWith(operation, { status, type, body: await text(answer) });
  }

  it(`get answers that are described, ${String(REQUESTS)} of them, and none is a mistake of the service`, async () => {
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(strange(), { minLength: BATCH, maxLength: BATCH }),
        async (batch) => {
          const problems = await Promise.all(batch.map(send));
          sent += batch.length;
          expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
          // Some of them log out, take another name, or delete the account.
          if (sent % (5 * BATCH) === 0) token = await signUp(service, `hana ${String(sent)}`);
        },
      ),
      { numRuns: REQUESTS / BATCH },
    );
    expect(sent).toBeGreaterThanOrEqual(REQUESTS);
    expect(service.output()).not.toMatch(/"level":[56]0/);
  }, 300_000);
});
