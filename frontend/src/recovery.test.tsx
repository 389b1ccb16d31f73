import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import type { JSX } from 'react';
import { useLocation } from 'react-router';
import { describe, expect, it } from 'vitest';
import { App } from './app';
import { catalogues, fill, type Language } from './i18n/messages';
import {
  type Answers,
  empty,
  json,
  ME,
  NOBODY,
  serve,
  session,
  sessionsOf,
  show,
} from './test-render';

const TOKEN = 'wJ3xq0mT8yV5uZ1kR7bN4cD6fG9hL2pS_aE-iO3tQ0A';
const BAD_TOKEN = { loc: ['body', 'token'], msg: 'What the service says.', type: 'value_error' };
const badToken = (): Response => json(422, { detail: [BAD_TOKEN] });
const answer = (status: number, headers?: Record<string, string>) => (): Response =>
  json(status, { detail: 'What the service says.' }, headers);
const NOT_YET = { ...ME, email_verified_at: null };

/** Somebody who is logged in, whose address is as `me` says by now. */
const loggedIn = (me: () => object = () => ME): Answers => ({
  'GET /api/user/me': () => json(200, me()),
  'GET /api/user/sessions': sessionsOf([session('a', true)]),
});

/** Where the page is, as its address bar says. */
function Where(): JSX.Element {
  const { pathname, search, hash } = useLocation();
  return <output data-testid="where">{pathname + search + hash}</output>;
}

function open(path: string, language: Language = 'en'): void {
  show(
    <>
      <App />
      <Where />
    </>,
    { path, language },
  );
}

const where = (): string | null => screen.getByTestId('where').textContent;

const field = (label: string): Promise<HTMLElement> =>
  screen.findByLabelText(
    (text) => text === label || text === `${label} *`,
    { selector: 'input' },
    { timeout: 10_000 },
  );

async function fillIn(fields: Record<string, string>, button: string): Promise<void> {
  for (const [label, value] of Object.entries(fields)) {
    const input = await field(label);
    await userEvent.clear(input);
    await userEvent.type(input, value);
  }
  await press(button);
}

async function press(name: string): Promise<void> {
  await userEvent.click(await screen.findByRole('button', { name }));
}

/** What was posted, with where to and by whom. */
const posted = (sent: Request[]): Promise<unknown[]> =>
  Promise.all(
    sent
      .filter(({ method }) => method === 'POST')
      .map(async (request) => [
        new URL(request.url).pathname,
        (await request.clone().json()) as unknown,
        request.credentials,
      ]),
  );

const title = (name: string): Promise<HTMLElement> =>
  screen.findByRole('heading', { level: 1, name });
const toKorean = (): Promise<void> => press('한국어');

describe.each(['en', 'ko'] as const)('in %s', (language) => {
  const t = catalogues[language];
  const passwords = { [t.newPassword]: 'sec 9', [t.repeatPassword]: 'sec 9' };
  const alertSays = async (words: string | RegExp): Promise<void> => {
    expect(await screen.findByRole('alert')).toHaveTextContent(words);
  };
  const fieldSays = async (label: string, words: string | RegExp): Promise<void> => {
    const input = await field(label);
    await waitFor(() => {
      expect(input).toHaveAccessibleDescription(words);
    });
    expect(input).toHaveFocus();
    expect(screen.queryByRole('alert')).toBeNull();
  };
  /** Asks for a mail, and is where the code is typed. */
  const forget = async (answers: Answers): Promise<Request[]> => {
    const sent = serve({ 'GET /api/user/me': NOBODY, ...answers });
    open('/forgot-password', language);
    await fillIn({ [t.email]: 'hana@example.com' }, t.sendMail);
    return sent;
  };

  it('a forgotten password: the way there, the mail, the code, and the way back', async () => {
    const sent = serve({
      'GET /api/user/me': NOBODY,
      'POST /api/user/password/forgot': empty,
      'POST /api/user/password/reset': empty,
    });
    open('/login', language);
    await userEvent.click(await screen.findByRole('link', { name: t.forgot }));
    await fillIn({ [t.email]: 'hana@example.com' }, t.sendMail);
    expect(await title(t.lookIntoMail)).toBeVisible();
    expect(screen.getByRole('main')).toHaveFocus();
    expect(screen.getByText(fill(t.resetSent, { email: 'hana@example.com' }))).toBeVisible();
    const code = await field(t.code);
    expect(code).toHaveAttribute('autocomplete', 'one-time-code');
    expect(code).toHaveAttribute('inputmode', 'numeric');
    await press(t.sendAgain);
    expect(await screen.findByText(t.askedAgain)).toBeVisible();
    await fillIn({ [t.code]: '1234 567', ...passwords }, t.changePassword);
    await fieldSays(t.code, `${t.codeShort} ${t.codeHint}`);
    await fillIn({ [t.code]: ' 1234-5６78 ' }, t.changePassword);
    expect(await title(t.resetDone)).toBeVisible();
    expect(await posted(sent)).toEqual([
      ['/api/user/password/forgot', { email: 'hana@example.com' }, 'same-origin'],
      ['/api/user/password/forgot', { email: 'hana@example.com' }, 'same-origin'],
      [
        '/api/user/password/reset',
        { token: '12345678', email: 'hana@example.com', password1: 'sec 9', password2: 'sec 9' },
        'same-origin',
      ],
    ]);
    await userEvent.click(screen.getByRole('link', { name: t.logIn }));
    expect(await title(t.welcome)).toBeVisible();
  });

  it.each([
    [429, '61', { en: 'Try again in 61 seconds.', ko: '61초 후에 다시 시도하세요.' }],
    [503, '2', { en: 'Try again in 2 seconds.', ko: '2초 후에 다시 시도하세요.' }],
    [503, undefined, { en: catalogues.en.noMail, ko: catalogues.ko.noMail }],
  ])('no mail, for %i with Retry-After %s', async (status, after, words) => {
    const refused = answer(status, after === undefined ? {} : { 'Retry-After': after });
    await forget({ 'POST /api/user/password/forgot': refused });
    await alertSays(words[language]);
  });

  it('no mail for what is no address', async () => {
    const detail = [{ loc: ['body', 'email'], msg: 'No.', type: 'value_error.email' }];
    await forget({ 'POST /api/user/password/forgot': () => json(422, { detail }) });
    await fieldSays(t.email, t.invalid['value_error.email']);
  });

  it('a code that is not good any more', async () => {
    await forget({
      'POST /api/user/password/forgot': empty,
      'POST /api/user/password/reset': badToken,
    });
    await fillIn({ [t.code]: '12345678', ...passwords }, t.changePassword);
    await fieldSays(t.code, `${t.badCode} ${t.codeHint}`);
    await press(t.otherAddress);
    expect(await title(t.forgotTitle)).toBeVisible();
  });

  it('a link to choose a password: what is wrong with that, and once it was used', async () => {
    const short = { type: 'value_error.any_str.min_length', ctx: { limit_value: 8 } };
    const answers: Answers = {
      'GET /api/user/me': NOBODY,
      'POST /api/user/password/reset': () =>
        json(422, { detail: [{ loc: ['body', 'password1'], msg: 'Longer.', ...short }] }),
    };
    const sent = serve(answers);
    open(`/reset-password#${TOKEN}`, language);
    await fillIn(passwords, t.changePassword);
    const words = fill(t.invalid['value_error.any_str.min_length'], short.ctx);
    await fieldSays(t.newPassword, `${words} ${t.passwordHint}`);
    answers['POST /api/user/password/reset'] = badToken;
    await press(t.changePassword);
    await alertSays(t.badLink);
    expect(await posted(sent)).toContainEqual([
      '/api/user/password/reset',
      { token: TOKEN, password1: 'sec 9', password2: 'sec 9' },
      'same-origin',
    ]);
    await userEvent.click(screen.getByRole('link', { name: t.askAnother }));
    expect(await title(t.forgotTitle)).toBeVisible();
  });

  it('a log-in before the address is confirmed: why, and the mail again', async () => {
    const refused = (): Response => json(403, { detail: 'No.', error: 'invalid_grant' });
    const sent = serve({
      'GET /api/user/me': NOBODY,
      'POST /api/user/session': refused,
      'POST /api/user/email/verify/resend': empty,
      'POST /api/user/email/verify': empty,
    });
    open('/login', language);
    await fillIn({ [t.username]: 'hana', [t.password]: 'sec 9' }, t.logIn);
    await alertSays(t.unconfirmedLogIn);
    await userEvent.click(screen.getByRole('link', { name: t.mailAgain }));
    await fillIn({ [t.email]: 'hana@example.com' }, t.sendMail);
    expect(
      await screen.findByText(fill(t.verifySent, { email: 'hana@example.com' })),
    ).toBeVisible();
    await press(t.sendAgain);
    expect(await screen.findByText(t.askedAgain)).toBeVisible();
    await fillIn({ [t.code]: '1234 5678', [t.password]: 'sec 9' }, t.confirmAddress);
    expect(await screen.findByText(t.verifyDoneOwner)).toBeVisible();
    // Whatever cookie is left of a login that is over would be refused.
    const [, ...rest] = sent.filter(({ method }) => method === 'POST');
    expect(await posted(rest)).toEqual([
      ['/api/user/email/verify/resend', { email: 'hana@example.com' }, 'omit'],
      ['/api/user/email/verify/resend', { email: 'hana@example.com' }, 'omit'],
      [
        '/api/user/email/verify',
        { token: '12345678', email: 'hana@example.com', password: 'sec 9' },
        'omit',
      ],
    ]);
  });

  it('a sign-up that has to be confirmed before a log-in', async () => {
    serve({
      'GET /api/user/me': NOBODY,
      'POST /api/user/create': empty,
      'POST /api/user/session': () => json(403, { detail: 'No.', error: 'invalid_grant' }),
    });
    open('/signup', language);
    const own = { [t.password]: 'sec 9', [t.repeatPassword]: 'sec 9' };
    await fillIn({ [t.username]: 'hana', [t.email]: 'hana@example.com', ...own }, t.signUp);
    expect(await screen.findByText(t.farewell.unconfirmed)).toBeVisible();
  });

  it('an address, confirmed by whoever is logged in', async () => {
    let me: object = NOT_YET;
    const sent = serve({
      ...loggedIn(() => me),
      'POST /api/user/email/verify': () => {
        me = ME;
        return empty();
      },
    });
    open(`/verify-email#${TOKEN}`, language);
    expect(await screen.findByText(fill(t.verifyHint, { name: 'hana' }))).toBeVisible();
    await press(t.confirmAddress);
    expect(await title(t.verifyDone)).toBeVisible();
    expect(screen.getByText(fill(t.verifyDoneHint, { email: ME.email }))).toBeVisible();
    expect(await posted(sent)).toEqual([
      ['/api/user/email/verify', { token: TOKEN }, 'same-origin'],
    ]);
  });

  it('an address of another account than the one that is logged in', async () => {
    serve({ ...loggedIn(), 'POST /api/user/email/verify': empty });
    open(`/verify-email#${TOKEN}`, language);
    await press(t.confirmAddress);
    expect(await screen.findByText(fill(t.verifyDoneOther, { name: 'hana' }))).toBeVisible();
  });

  it('an address, confirmed by nobody who is logged in: what that means', async () => {
    const sent = serve({ 'GET /api/user/me': NOBODY, 'POST /api/user/email/verify': empty });
    open(`/verify-email#${TOKEN}`, language);
    expect(await screen.findByText(t.strangerHint)).toBeVisible();
    await press(t.confirmWithout);
    expect(await screen.findByText(t.verifyDoneStranger)).toBeVisible();
    expect(await posted(sent)).toEqual([['/api/user/email/verify', { token: TOKEN }, 'omit']]);
  });

  it('a new address, which nobody else confirms', async () => {
    serve({ 'GET /api/user/me': NOBODY });
    open(`/change-email#${TOKEN}`, language);
    expect(
      await screen.findByLabelText(t.password, { exact: false, selector: 'input' }),
    ).toBeVisible();
    expect(screen.queryByText(t.stranger)).toBeNull();
  });

  it('a new address of another account than the one that is logged in: with its password', async () => {
    const missing = { loc: ['body', 'password'], msg: 'No.', type: 'value_error.missing' };
    const answers: Answers = {
      ...loggedIn(),
      'POST /api/user/email/verify': () => json(422, { detail: [missing] }),
    };
    const sent = serve(answers);
    open(`/change-email#${TOKEN}`, language);
    await press(t.confirmAddress);
    answers['POST /api/user/email/verify'] = empty;
    await fillIn({ [t.password]: 'sec 9' }, t.confirmAddress);
    expect(await title(t.verifyDone)).toBeVisible();
    expect((await posted(sent)).at(-1)).toEqual([
      '/api/user/email/verify',
      { token: TOKEN, password: 'sec 9' },
      'same-origin',
    ]);
  });

  it('an address, confirmed with the password by whoever is not logged in', async () => {
    const wrong = { loc: ['body', 'password'], msg: 'No.', type: 'value_error' };
    const answers: Answers = {
      'GET /api/user/me': NOBODY,
      'POST /api/user/email/verify': () => json(422, { detail: [wrong] }),
    };
    const sent = serve(answers);
    open(`/verify-email#${TOKEN}`, language);
    await fillIn({ [t.password]: 'sec 8' }, t.confirmAddress);
    await fieldSays(t.password, t.wrongPassword);
    answers['POST /api/user/email/verify'] = answer(429, { 'Retry-After': '7' });
    await press(t.confirmAddress);
    await alertSays({ en: '7 seconds', ko: '7초 후' }[language]);
    answers['POST /api/user/email/verify'] = answer(409);
    await press(t.confirmAddress);
    await alertSays(t.takenMeanwhile);
    answers['POST /api/user/email/verify'] = empty;
    await fillIn({ [t.password]: 'sec 9' }, t.confirmAddress);
    expect(await screen.findByText(t.verifyDoneOwner)).toBeVisible();
    expect((await posted(sent)).at(-1)).toEqual([
      '/api/user/email/verify',
      { token: TOKEN, password: 'sec 9' },
      'omit',
    ]);
    await userEvent.click(screen.getByRole('link', { name: t.logIn }));
    expect(await title(t.welcome)).toBeVisible();
  });

  it('an address that somebody else has by now', async () => {
    serve({ ...loggedIn(() => NOT_YET), 'POST /api/user/email/verify': answer(409) });
    open(`/verify-email#${TOKEN}`, language);
    await press(t.confirmAddress);
    await alertSays(t.takenMeanwhile);
  });

  it('a used link to confirm: another mail, for whoever is logged in', async () => {
    const sent = serve({
      ...loggedIn(() => NOT_YET),
      'POST /api/user/email/verify': badToken,
      'POST /api/user/email/verify/resend': empty,
    });
    open(`/verify-email#${TOKEN}`, language);
    await press(t.confirmAddress);
    await alertSays(t.badLink);
    await press(t.sendAgain);
    expect(await screen.findByText(t.askedAgain)).toBeVisible();
    expect(await posted(sent)).toContainEqual(['/api/user/email/verify/resend', {}, 'same-origin']);
  });

  it('a used link to confirm: that it is done, if it is', async () => {
    serve({ ...loggedIn(), 'POST /api/user/email/verify': badToken });
    open(`/verify-email#${TOKEN}`, language);
    await press(t.confirmAddress);
    await alertSays(t.badLink);
    expect(screen.getByText(fill(t.verifyDoneHint, { email: ME.email }))).toBeVisible();
  });

  it('a used link to confirm: another mail, for others', async () => {
    serve({ 'GET /api/user/me': NOBODY, 'POST /api/user/email/verify': badToken });
    open(`/verify-email#${TOKEN}`, language);
    await fillIn({ [t.password]: 'sec 9' }, t.confirmAddress);
    await alertSays(t.badLink);
    expect(screen.getByRole('button', { name: t.sendMail })).toBeVisible();
  });

  it('an address taken back, and what then', async () => {
    const sent = serve({ 'GET /api/user/me': NOBODY, 'POST /api/user/email/revert': empty });
    open(`/revert-email#${TOKEN}`, language);
    expect(await screen.findByText(t.revertMeaning)).toBeVisible();
    await press(t.revert);
    expect(await title(t.revertDone)).toBeVisible();
    expect(screen.getByText(t.revertDoneHint)).toBeVisible();
    expect(await posted(sent)).toEqual([
      ['/api/user/email/revert', { token: TOKEN }, 'same-origin'],
    ]);
  });

  it.each([
    [422, badToken, t.badLink],
    [409, answer(409), t.takenMeanwhile],
    [429, answer(429, { 'Retry-After': '7' }), { en: '7 seconds', ko: '7초 후' }[language]],
  ])('an address that is not taken back: %i', async (_status, refused, words) => {
    serve({ 'GET /api/user/me': NOBODY, 'POST /api/user/email/revert': refused });
    open(`/revert-email#${TOKEN}`, language);
    await press(t.revert);
    await alertSays(words);
    const hasOtherWay = screen.queryByRole('link', { name: t.forgot }) !== null;
    expect(hasOtherWay).toBe(words === t.badLink);
  });

  it('at home: whether the address is confirmed, and the code to do so', async () => {
    let me: object = NOT_YET;
    const answers: Answers = {
      ...loggedIn(() => me),
      'POST /api/user/email/verify': badToken,
      'POST /api/user/email/verify/resend': answer(503),
    };
    const sent = serve(answers);
    open('/', language);
    expect(await screen.findByText(t.notConfirmed)).toBeVisible();
    await press(t.sendAgain);
    await alertSays(t.noMail);
    answers['POST /api/user/email/verify/resend'] = empty;
    await press(t.sendAgain);
    expect(await screen.findByText(t.askedAgain)).toBeVisible();
    await fillIn({ [t.code]: '87654321' }, t.confirm);
    await fieldSays(t.code, `${t.badCode} ${t.codeHint}`);
    answers['POST /api/user/email/verify'] = () => {
      me = ME;
      return empty();
    };
    await press(t.confirm);
    expect(await screen.findByText(t.emailConfirmed)).toBeVisible();
    expect(await screen.findByText(t.confirmed)).toBeVisible();
    expect(screen.queryByLabelText(t.code)).toBeNull();
    expect(screen.getByRole('heading', { name: t.profile })).toHaveFocus();
    expect(await posted(sent)).toContainEqual([
      '/api/user/email/verify',
      { token: '87654321', email: ME.email },
      'same-origin',
    ]);
  });

  it('another address: what is wrong with it, the mails, and the code', async () => {
    let me: object = ME;
    const answers: Answers = {
      ...loggedIn(() => me),
      'POST /api/user/email': answer(409),
      'POST /api/user/email/verify': answer(409),
    };
    const sent = serve(answers);
    open('/', language);
    await press(t.changeEmail);
    const dialog = within(await screen.findByRole('dialog'));
    const save = (): Promise<void> =>
      userEvent.click(dialog.getByRole('button', { name: t.changeEmail }));
    await userEvent.type(await field(t.newEmail), 'dul@example.com');
    await userEvent.type(await field(t.currentPassword), 'sec 9');
    await save();
    await fieldSays(t.newEmail, t.emailTaken);
    const wrong = { loc: ['body', 'password'], msg: 'No.', type: 'value_error' };
    answers['POST /api/user/email'] = () => json(422, { detail: [wrong] });
    await save();
    await fieldSays(t.currentPassword, t.wrongPassword);
    answers['POST /api/user/email'] = answer(503);
    await save();
    await alertSays(t.noMail);
    answers['POST /api/user/email'] = empty;
    await save();
    const addresses = { email: 'dul@example.com', old: ME.email };
    expect(await screen.findByText(fill(t.changeSent, addresses))).toBeVisible();
    expect(screen.getByRole('dialog')).toHaveFocus();
    expect(screen.getByText(ME.email)).toBeVisible();
    await fillIn({ [t.code]: '12345678' }, t.confirm);
    await alertSays(t.takenMeanwhile);
    answers['POST /api/user/email/verify'] = () => {
      me = { ...ME, email: 'dul@example.com' };
      return empty();
    };
    await press(t.confirm);
    expect(await screen.findByText(t.emailChanged)).toBeVisible();
    expect(await screen.findByText('dul@example.com')).toBeVisible();
    expect((await posted(sent)).at(-1)).toEqual([
      '/api/user/email/verify',
      { token: '12345678', email: 'dul@example.com' },
      'same-origin',
    ]);
  });
});

it.each([
  ['/reset-password', 'Choose a new password'],
  ['/verify-email', 'Confirm your address'],
  ['/revert-email', 'Stop the change of address'],
])('the token of %s leaves the address bar at once, and nothing is sent', async (path, name) => {
  const sent = serve({ 'GET /api/user/me': NOBODY });
  open(`${path}#${TOKEN}`);
  expect(where()).toBe(path);
  expect(await title(name)).toBeVisible();
  expect(JSON.stringify([localStorage, sessionStorage, history.state])).not.toContain(TOKEN);
  expect(new Set(sent.map(({ method, url }) => method + new URL(url).pathname))).toEqual(
    new Set(['GET/api/user/me']),
  );
});

it.each([
  ['/reset-password', 'Forgot your password?', '/forgot-password'],
  ['/verify-email', 'Confirm your address', '/verify-email'],
  ['/revert-email', 'Stop the change of address', '/revert-email'],
])('%s without a token leads on', async (path, name, to) => {
  serve({ 'GET /api/user/me': NOBODY });
  open(path);
  expect(await title(name)).toBeVisible();
  expect(where()).toBe(to);
});

it('a 403 that is about something else says so', async () => {
  serve({ 'GET /api/user/me': NOBODY, 'POST /api/user/session': answer(403) });
  open('/login');
  await fillIn({ Username: 'hana', Password: 'sec 9' }, 'Log in');
  expect(await screen.findByRole('alert')).toHaveTextContent('What the service says.');
  expect(screen.queryByRole('link', { name: 'Send me the mail again' })).toBeNull();
});

it('whoever resets the password of a login that was here is not told that it has ended', async () => {
  let isIn = true;
  serve({
    ...loggedIn(),
    'GET /api/user/me': () => (isIn ? json(200, ME) : NOBODY()),
    'POST /api/user/password/reset': () => {
      isIn = false;
      return empty();
    },
  });
  open(`/reset-password#${TOKEN}`);
  await fillIn({ 'New password': 'sec 9', 'Repeat the password': 'sec 9' }, 'Change password');
  expect(await title('Your password has been changed')).toBeVisible();
  await userEvent.click(screen.getByRole('link', { name: 'Log in' }));
  expect(await title('Welcome back')).toBeVisible();
  expect(screen.queryByText(/ended elsewhere/)).toBeNull();
});

it('the language can be switched on the way, and nothing is lost', async () => {
  serve({
    'GET /api/user/me': NOBODY,
    'POST /api/user/password/forgot': empty,
    'POST /api/user/password/reset': badToken,
  });
  open('/forgot-password');
  await fillIn({ Email: 'hana@example.com' }, 'Send the mail');
  await fillIn(
    { 'Code from the mail': '12345678', 'New password': 'sec 9', 'Repeat the password': 'sec 9' },
    'Change password',
  );
  await screen.findByText(catalogues.en.badCode);
  await toKorean();
  const code = await field(catalogues.ko.code);
  expect(code).toHaveValue('12345678');
  expect(code).toHaveAccessibleDescription(new RegExp(catalogues.ko.badCode));
});

it('what is said at a field of a status follows the language', async () => {
  serve({ ...loggedIn(), 'POST /api/user/email': answer(409) });
  open('/');
  await press('Change address');
  await userEvent.type(await field('New address'), 'dul@example.com');
  await userEvent.type(await field('Current password'), 'sec 9{Enter}');
  await screen.findByText(catalogues.en.emailTaken);
  const [switcher] = screen.getAllByText('한국어');
  if (switcher === undefined) throw new Error('There is a switch of languages');
  await userEvent.click(switcher);
  expect(await screen.findByText(catalogues.ko.emailTaken)).toBeVisible();
});
