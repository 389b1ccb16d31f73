import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { JSON_TYPE, registration } from '../../support/client';
import {
  type Difference,
  failed,
  type Known,
  NOT_JSON,
  otherWordsForJson,
  refused,
  wrong,
} from '../differences';
import { type Case, HANA, shown, type Tried } from './case';

const PATH = '/user/create';

/** What is answered to a registration that succeeds. */
const MADE = { status: 204, headers: {}, body: null };

// --- names

const LOOKS_LIKE_ANOTHER =
  'A name in letters of several scripts, or that looks like ASCII and is not';
const UNSTORABLE = 'NUL or half a surrogate pair in a name or password';
const unprintable = refused('Usernames', wrong('username', 'printable'));
const unstorableName = refused(UNSTORABLE, wrong('username', 'printable'));
const mixed = refused(LOOKS_LIKE_ANOTHER, wrong('username', 'oneScript'));
const lookalike = refused(LOOKS_LIKE_ANOTHER, wrong('username', 'noLookalike'));
const taken = failed('A name that somebody has in another case', 409, 'userExists');
const longName = refused('Usernames', wrong('username', 'maxLength', 150));

/** Nothing that an index could compress. */
const NOISE = createHash('sha512').update('noise').digest('hex').repeat(2);
const LONG_NOISE = Array.from({ length: 200 }, (_, i) =>
  createHash('sha512').update(String(i)).digest('hex'),
).join('');

const NAMES = (
  [
    [' leading'],
    ['trailing '],
    ["O'Reilly"],
    ['"; DROP TABLE "user"; --'],
    ['%s %(a)s {0} $1 \\'],
    ['<b>bold</b>'],
    ['null'],
    ['0'],
    ['constructor'],
    ['🦊🦊'],
    ['\u202eevil', unprintable],
    ['a\u200bb', unprintable],
    ['a\u00adb', unprintable],
    ['a\nb', unprintable],
    ['\ta', unprintable],
    ['a\u0378b', unprintable],
    ['a\ue000b'],
    ['café'.normalize('NFC')],
    ['café'.normalize('NFD'), taken],
    ['CAFÉ', taken],
    [HANA.toUpperCase(), taken],
    ['ｈａｎａ', lookalike],
    ['hаna', mixed],
    ['ﬁ', lookalike],
    ['김철수Kim7'],
    ['花子Hana7'],
    ['王小明Wang7'],
    ['Привет'],
    ['u'.repeat(150)],
    ['🦊'.repeat(150)],
    ['u'.repeat(151), longName],
    [NOISE, longName],
    [LONG_NOISE, longName],
    ['a\0b', unstorableName],
    ['\0', unstorableName],
    ['a\ud800b', unstorableName],
    ['🦊\udd8a', unstorableName],
    ['\u3000\u00a0 '],
    ['\u001c\u001d\u001e\u001f'],
    ['\u0085'],
    ['\u180e', unprintable],
    ['\u200b', unprintable],
    ['\ufeff', unprintable],
  ] satisfies Tried[]
).map(([username, ...differences]): Case => {
  const init = registration(`name: ${username}`, { username });
  return [`name ${shown(username)}`, PATH, init, ...differences];
});

// --- passwords

const unstorable = refused(UNSTORABLE, wrong('password1', 'storable'));
const manyBytes = refused('A password of more than 72 bytes', wrong('password1', 'maxBytes', 72));
const long = refused('Passwords', wrong('password1', 'maxLength', 1024));

const PASSWORDS = (
  [
    ['x'],
    ['password'],
    [' spaces '],
    ['\ttab\n'],
    ['\u0001\u007f'],
    ['\u200b'],
    ['비밀번호는 열여섯 글자'],
    ['🦊🦊'],
    ['x'.repeat(72)],
    ['비'.repeat(24)],
    ['café'.normalize('NFD')],
    ['x'.repeat(73), manyBytes],
    ['비'.repeat(25), manyBytes],
    ['x'.repeat(1024), manyBytes],
    ['x'.repeat(1025), long],
    ['x'.repeat(4096), long],
    ['x'.repeat(4097), long],
    ['a\0b', unstorable],
    ['\0', unstorable],
    ['a\udc00b', unstorable],
    [''],
    ['   '],
    ['\u3000\u2028'],
  ] satisfies Tried[]
).map(([password, ...differences]): Case => {
  const name = `password ${shown(password)}`;
  return [name, PATH, registration(name, passwords(password)), ...differences];
});

function passwords(password: unknown): object {
  return { password1: password, password2: password };
}

const takenInNfc: Difference = {
  known: 'Passwords',
  change: () => ({ ...MADE, stored: [expect.any(Object)] }),
};

const PAIRS = (
  [
    [{ password1: 'é'.normalize('NFC'), password2: 'é'.normalize('NFD') }, takenInNfc],
    [{ password1: 'Pw', password2: 'pw' }],
    [{ password1: ' ', password2: 'pw' }],
    [{ password1: 'pw', password2: ' ' }],
    [{ password1: 'pw', password2: null }],
  ] satisfies Tried<object>[]
).map(([pair, ...differences]): Case => {
  const name = `passwords ${shown(pair)}`;
  return [name, PATH, registration(name, pair), ...differences];
});

// --- email addresses

const newerUnicode: Difference = {
  known: 'A few email domains that Unicode 15 and later let be',
  change: () => ({ ...MADE, stored: [expect.any(Object)] }),
};

const EMAILS = (
  [
    ['plain@example.org'],
    ['UPPER.Case@Example.ORG'],
    ['a+tag@example.org'],
    ["o'hara@example.org"],
    ['!#$%&*+-/=?^_`{|}~@example.org'],
    [' spaces@example.org '],
    ['\tspaces2@example.org\n'],
    ['Kim Min <kim.min@example.org>'],
    ['Kim-Min <kim@example.org>'],
    ['<bare@example.org>'],
    ['Kim <kim@example.org> x'],
    ['Kim <<kim@example.org>>'],
    ['"quoted"@example.org'],
    ['a@b@example.org'],
    ['@example.org'],
    ['a@'],
    ['a'],
    [''],
    [' '],
    ['a@example'],
    ['a@localhost'],
    ['a@example.local'],
    ['a@mail.test'],
    ['a@example.invalid'],
    ['a@example.1'],
    ['a@[127.0.0.1]'],
    ['a@127.0.0.1'],
    ['a@-example.org'],
    ['a@example-.org'],
    ['a@exa_mple.org'],
    ['a@exa--mple.org'],
    ['a@xn--example.org'],
    ['a@xn--bcher-kva.example.org'],
    ['a@bücher.example.org'],
    ['a@BÜCHER.example.org'],
    ['a@straße.example.org'],
    ['a@예시.한국'],
    ['사용자@예시.한국'],
    ['a@예시。한국'],
    ['a@ex\u00adample.org'],
    ['a@ｅｘａｍｐｌｅ.org'],
    ['a@☃.example.org'],
    ['a@\u{31350}.example.org', newerUnicode],
    ['é@example.org'.normalize('NFD')],
    ['é@example.org'.normalize('NFC')],
    ['.a@example.org'],
    ['a.@example.org'],
    ['a..b@example.org'],
    ['a b@example.org'],
    ['a@exa mple.org'],
    ['a@example..org'],
    ['a@.example.org'],
    ['a@example.org.'],
    ['a\u200bb@example.org'],
    ['a\0b@example.org'],
    ['a\ud800@example.org'],
    ['a@ex\ud800ample.org'],
    [`${'l'.repeat(64)}@example.org`],
    [`${'l'.repeat(65)}@example.org`],
    [`a@${'d'.repeat(63)}.org`],
    [`a@${'d'.repeat(64)}.org`],
    [`${'l'.repeat(64)}@${'d'.repeat(61)}.${'d'.repeat(61)}.${'d'.repeat(61)}.org`],
    [`${'l'.repeat(64)}@${'d'.repeat(62)}.${'d'.repeat(61)}.${'d'.repeat(62)}.org`],
    [`a@${'d.'.repeat(120)}org`],
    [`a@${'d.'.repeat(130)}org`],
    [`${'x'.repeat(3000)}@example.org`],
  ] satisfies Tried[]
).map(([email, ...differences]): Case => {
  const name = `email ${shown(email)}`;
  return [name, PATH, registration(name, { email }), ...differences];
});

// --- fields

const NO_TEXT = 'A number or `true` where a text belongs';
const noText = (...fields: string[]): Difference =>
  refused(NO_TEXT, ...fields.map((field) => wrong(field, 'text')));

const FIELDS = (
  [
    ...['username', 'password1', 'password2', 'email'].flatMap((field): Tried<object>[] => [
      [{ [field]: undefined }],
      [{ [field]: null }],
      [{ [field]: ['a'] }],
      [{ [field]: [] }],
      [{ [field]: { a: 1 } }],
    ]),
    [{ username: 7 }, noText('username')],
    [{ username: 1.5 }, noText('username')],
    [{ username: true }, noText('username')],
    [{ username: false }, noText('username')],
    [passwords(12345678), noText('password1', 'password2')],
    [{ password1: '7', password2: 7 }, noText('password2')],
    [{ email: 7 }, noText('email')],
    [{ email: true }, noText('email')],
    [{ id: 7, is_admin: true }],
  ] satisfies Tried<object>[]
).map(([fields, ...differences]): Case => {
  const name = `fields ${inspect(fields)}`;
  return [name, PATH, registration(name, fields), ...differences];
});

// --- bodies

const NO_OBJECT = 'An array of pairs for an object, `[]` and `""` for an empty one';
const noObject = refused(NO_OBJECT, { loc: ['body'], messageName: 'object' });
const notJson = refused('`NaN` and `Infinity`, JSON in UTF-16 that does not say so', NOT_JSON);
const BOUNDED: Known = 'A body over 64 kB, JSON deeper than 32, a form of over 100 fields';

/** A good body, with something more at its beginning. */
function with_(member: string): (good: string) => string {
  return (good) => good.replace('{', `{${member},`);
}

const BODIES = (
  [
    ['null', () => 'null'],
    ['a number', () => '1'],
    ['zero', () => '0'],
    ['true', () => 'true'],
    ['false', () => 'false'],
    ['a text', () => '"a"'],
    ['an empty text', () => '""', noObject],
    ['an empty array', () => '[]', noObject],
    ['an array of texts', () => '["ab"]', noObject],
    [
      'an array of pairs',
      (good) => JSON.stringify(Object.entries(JSON.parse(good) as object)),
      noObject,
    ],
    ['an object in an object', (good) => `{"user":${good}}`],
    ['a member twice', with_('"username":"another"')],
    ['__proto__', with_('"__proto__":{"username":"p"}')],
    ['blanks around', (good) => ` \r\n\t${good}\n`],
    ['a byte order mark', (good) => `\ufeff${good}`],
    ['escapes', (good) => good.replaceAll('e', '\\u0065')],
    ['NaN', with_('"a":NaN'), notJson],
    ['Infinity', with_('"a":-Infinity'), notJson],
    ['a huge number', with_('"a":1e999')],
    ['UTF-16', (good) => Buffer.from(good, 'utf16le'), notJson],
    ['no UTF-8', () => Buffer.from([0x22, 0xff, 0x22])],
    ['20,000 deep', () => `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
    [
      '33 deep',
      with_(`"a":${'['.repeat(33)}${']'.repeat(33)}`),
      failed(BOUNDED, 400, 'bodyUnreadable'),
    ],
    ['over 64 kB', with_(`"a":"${'x'.repeat(65_536)}"`), failed(BOUNDED, 413, 'bodyTooLarge')],
    ...(
      [
        ['a blank', () => ' '],
        ['cut off', (good) => good.slice(0, -1)],
        ['a comma too many', (good) => good.replace('}', ',}')],
        ['single quotes', () => "{'username':'a'}"],
        ['a comment', () => '{} // a'],
        ['two values', () => '{}{}'],
        ['a line feed in a text', () => '{"username":"a\nb"}'],
        ['a tab in a text', () => '{"username":"a\tb"}'],
        ['a wrong escape', () => '{"username":"\\x"}'],
        ['a number with zeros', () => '{"username":007}'],
        ['NUL after it', (good) => `${good}\0`],
      ] satisfies [string, (good: string) => string][]
    ).map(([name, body]) => [name, body, otherWordsForJson] as const),
  ] satisfies (readonly [string, (good: string) => string | Buffer, ...Difference[]])[]
).map(([name, body, ...differences]): Case => {
  const bytes = Buffer.from(body(registration(`body ${name}`).body));
  return [
    `body: ${name}`,
    PATH,
    { method: 'POST', headers: JSON_TYPE, body: bytes },
    ...differences,
  ];
});

// --- what a body says it is

const CHARSET: Known = 'The charset that a body says it is in';

const TYPES = (
  [
    [undefined],
    [''],
    ['application/vnd.api+json'],
    ['APPLICATION/JSON'],
    ['application/json; charset=utf-8'],
    ['application/json; charset=iso-8859-1'],
    ['application/json; charset=klingon', failed(CHARSET, 415, 'unsupportedEncoding')],
    ['text/plain'],
    ['text/json'],
    ['application/jsonx'],
    ['application/xml'],
    ['multipart/form-data'],
    ['nonsense'],
  ] satisfies Tried<string | undefined>[]
).map(([type, ...differences]): Case => {
  const name = `content-type ${String(type)}`;
  // fetch gives a text a type, and bytes none.
  const body = Buffer.from(registration(name).body);
  const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
  return [name, PATH, { method: 'POST', headers, body }, ...differences];
});

const believed: Difference = {
  known: CHARSET,
  change: () => ({ ...MADE, stored: [expect.objectContaining({ username: 'Zoë' })] }),
};
const believedInVain: Difference = {
  known: CHARSET,
  change: () => ({ ...MADE, stored: [expect.objectContaining({ username: 'ZoÃ«' })] }),
};

const CHARSETS = (
  [
    ['latin1', believed],
    ['utf8', believedInVain],
  ] satisfies Tried<BufferEncoding>[]
).map(([encoding, ...differences]): Case => {
  const headers = { 'content-type': 'application/json; charset=iso-8859-1' };
  const name = `charset=iso-8859-1, and it is ${encoding}`;
  const email = `${encoding}@example.org`;
  const body = Buffer.from(registration('Zoë', { email }).body, encoding);
  return [name, PATH, { method: 'POST', headers, body }, ...differences];
});

export const REGISTRATIONS: readonly Case[] = [
  ...NAMES,
  ...PASSWORDS,
  ...PAIRS,
  ...EMAILS,
  ...FIELDS,
  ...BODIES,
  ...TYPES,
  ...CHARSETS,
];
