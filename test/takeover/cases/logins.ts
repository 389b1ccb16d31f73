import { form, PASSWORD, post } from '../../support/client';
import {
  type Difference,
  failed,
  type Known,
  LOGGED_IN,
  loginRefusedForOAuth,
  refreshTokenToo,
  refused,
  wrong,
} from '../differences';
import { type Case, HANA, shown, type Tried } from './case';

const PATH = '/user/login';
const KNOWN = { username: HANA, password: PASSWORD };
const KNOWN_TEXT = new URLSearchParams(KNOWN).toString();
const FORM = 'application/x-www-form-urlencoded';

const UNSTORABLE: Known = 'NUL or half a surrogate pair in a name or password';
const longPassword = refused('Passwords', wrong('password', 'maxLength', 1024));
const twice = refused('A form field given twice', wrong('username', 'text'));
const BOUNDED: Known = 'A body over 64 kB, JSON deeper than 32, a form of over 100 fields';
const tooManyFields = failed(BOUNDED, 400, 'bodyUnreadable');
const bounded = failed(BOUNDED, 413, 'bodyTooLarge');

const FIELDS = (
  [
    [{}, ...LOGGED_IN],
    [{ password: 'wrong' }, loginRefusedForOAuth],
    [{ username: 'nobody' }, loginRefusedForOAuth],
    [{ username: 'HANA' }, loginRefusedForOAuth],
    [{ username: 'hana ' }, loginRefusedForOAuth],
    [{ username: 'ｈａｎａ' }, loginRefusedForOAuth],
    [{ username: "' OR 1=1 --" }, loginRefusedForOAuth],
    [{ username: 'u'.repeat(20_000) }, loginRefusedForOAuth],
    [{ username: ' ' }, loginRefusedForOAuth],
    [{ username: 'a\0' }, refused(UNSTORABLE, wrong('username', 'storable'))],
    [{ password: `${PASSWORD} ` }, loginRefusedForOAuth],
    [{ password: PASSWORD.toUpperCase() }, loginRefusedForOAuth],
    [{ password: ' ' }, loginRefusedForOAuth],
    [{ password: 'a\0' }, refused(UNSTORABLE, wrong('password', 'storable'))],
    [{ username: 'nobody', password: 'a\0' }, refused(UNSTORABLE, wrong('password', 'storable'))],
    [{ password: 'x'.repeat(1024) }, loginRefusedForOAuth],
    [{ password: 'x'.repeat(1025) }, longPassword],
    [{ password: 'x'.repeat(4097) }, longPassword],
    [{ scope: 'read write' }, ...LOGGED_IN],
    [{ scope: 'offline_access' }, ...LOGGED_IN, refreshTokenToo],
    [{ client_id: 'a', client_secret: 'b' }, ...LOGGED_IN],
    [{ grant_type: '' }, ...LOGGED_IN],
    [{ grant_type: 'password' }, ...LOGGED_IN],
    [
      { grant_type: 'password2' },
      refused('`grant_type=password…`', wrong('grant_type', 'grantType', 'password')),
    ],
    [{ grant_type: 'Password' }],
    [{ grant_type: 'refresh_token' }],
    [{ grant_type: 'x', username: '', password: '' }],
  ] satisfies Tried<Record<string, string>>[]
).map(([fields, ...differences]): Case => [
  `login ${shown(fields)}`,
  PATH,
  form({ ...KNOWN, ...fields }),
  ...differences,
]);

const FORMS = (
  [
    ['username=%68ana&password=correct%20horse%209', ...LOGGED_IN],
    [`a=b&${KNOWN_TEXT}&c=d&&`, ...LOGGED_IN],
    [`${KNOWN_TEXT}%zz`, loginRefusedForOAuth],
    ['username=%ff&password=x', loginRefusedForOAuth],
    ['username=%ed%a0%80&password=x', loginRefusedForOAuth],
    ['username=김철수&password=짧은암호', loginRefusedForOAuth],
    [
      KNOWN_TEXT.replace('&', ';'),
      refused('A form whose fields `;` separates', wrong('password', 'required')),
    ],
    [`username=nobody&${KNOWN_TEXT}`, twice],
    [`username=&${KNOWN_TEXT}`, twice],
    ['username&password'],
    ['Username=hana&Password=x'],
    ['username[]=hana&password=x'],
    [`${KNOWN_TEXT}&a=${'x'.repeat(65_536)}`, bounded],
    [`${KNOWN_TEXT}${'&a=1'.repeat(99)}`, tooManyFields],
  ] satisfies Tried[]
).map(([body, ...differences]): Case => [
  `login ${shown(body)}`,
  PATH,
  { method: 'POST', headers: { 'content-type': FORM }, body },
  ...differences,
]);

const TYPES = (
  [
    [FORM.toUpperCase(), ...LOGGED_IN],
    [`${FORM}; charset=UTF-8`, ...LOGGED_IN],
    ['text/plain'],
    ['nonsense'],
    [''],
  ] satisfies Tried[]
).map(([type, ...differences]): Case => [
  `login of content-type ${shown(type)}`,
  PATH,
  { method: 'POST', headers: { 'content-type': type }, body: KNOWN_TEXT },
  ...differences,
]);

const OTHERS: Case[] = [
  ['login with JSON', PATH, post(KNOWN)],
  ['login without a body', PATH, { method: 'POST' }],
  ['login without a type', PATH, { method: 'POST', body: Buffer.from(KNOWN_TEXT) }],
  [
    'login with Basic, too',
    PATH,
    { ...form(KNOWN), headers: { authorization: 'Basic YTpi' } },
    ...LOGGED_IN,
  ],
  ['login with a query, too', `${PATH}?username=other&x=y`, form(KNOWN), ...LOGGED_IN],
];

// --- multipart

const MULTIPART = (
  [
    [KNOWN, ...LOGGED_IN],
    [{ ...KNOWN, more: 'x' }, ...LOGGED_IN],
    [{ ...KNOWN, file: new Blob(['x']) }, ...LOGGED_IN],
    [{ ...KNOWN, password: 'wrong' }, loginRefusedForOAuth],
    [{ ...KNOWN, username: '김철수' }, loginRefusedForOAuth],
    [{ ...KNOWN, username: '' }],
    [{ ...KNOWN, password: new Blob([PASSWORD]) }],
    [{ username: HANA }],
  ] satisfies Tried<Record<string, string | Blob>>[]
).map(([fields, ...differences]): Case => {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return [`login multipart ${shown(fields)}`, PATH, { method: 'POST', body }, ...differences];
});

const [USERNAME, SECOND, SECRET] = [
  part('username', HANA),
  part('username', 'x'),
  part('password', PASSWORD),
];
const END = '--b--\r\n';

function part(name: string, value: string): string {
  return `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

const BROKEN: Known = 'A multipart form that is broken';
const unreadable = failed(BROKEN, 400, 'bodyUnreadable');
const bothRequired = refused(BROKEN, wrong('username', 'required'), wrong('password', 'required'));

const MULTIPART_BY_HAND = (
  [
    ['whole', `${USERNAME}${SECRET}${END}`, ...LOGGED_IN],
    ['with a field twice', `${SECOND}${USERNAME}${SECRET}${END}`, twice],
    ['of nothing', END, bothRequired],
    ['cut off', `${USERNAME}${SECRET}`.slice(0, -2), unreadable],
    ['that is none', 'nonsense'],
    [
      'with a part without a name',
      `--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n${END}`,
      bothRequired,
    ],
    ['of another boundary', `${USERNAME}${END}`.replaceAll('--b', '--c')],
  ] satisfies (readonly [string, string, ...Difference[]])[]
).map(([name, body, ...differences]): Case => [
  `login multipart ${name}`,
  PATH,
  { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=b' }, body },
  ...differences,
]);

const noBoundary: Case = [
  'login multipart without a boundary',
  PATH,
  { method: 'POST', headers: { 'content-type': 'multipart/form-data' }, body: `${USERNAME}${END}` },
  unreadable,
];

export const LOGINS: readonly Case[] = [
  ...FIELDS,
  ...FORMS,
  ...TYPES,
  ...OTHERS,
  ...MULTIPART,
  ...MULTIPART_BY_HAND,
  noBoundary,
];
