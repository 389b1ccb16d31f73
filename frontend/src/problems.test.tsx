import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { App } from './app';
import { catalogues, type Language } from './i18n/messages';
import { type Answers, json, ME, NOBODY, serve, session, sessionsOf, show } from './test-render';

/** Types into each field, by its label, and presses the button. */
async function fillIn(fields: Record<string, string>, button: string): Promise<void> {
  for (const [label, value] of Object.entries(fields)) {
    const field = await screen.findByLabelText(new RegExp(`^${label}( \\*)?$`), {
      selector: 'input',
    });
    await userEvent.clear(field);
    await userEvent.type(field, value);
  }
  await userEvent.click(screen.getByRole('button', { name: button }));
}

const answer = (status: number, headers?: Record<string, string>) => (): Response =>
  json(status, { detail: 'What the service says.' }, headers);
const LOGGED_IN: Answers = {
  'GET /api/user/me': () => json(200, ME),
  'GET /api/user/sessions': sessionsOf([session('a', true)]),
};

async function logIn(response: () => Response, language: Language = 'en'): Promise<void> {
  const t = catalogues[language];
  serve({ 'GET /api/user/me': NOBODY, 'POST /api/user/session': response });
  show(<App />, { language });
  await fillIn({ [t.username]: 'hana', [t.password]: 'x' }, t.logIn);
}

async function signUp(response: () => Response, language: Language = 'en'): Promise<void> {
  const t = catalogues[language];
  serve({ 'GET /api/user/me': NOBODY, 'POST /api/user/create': response });
  show(<App />, { path: '/signup', language });
  await fillIn(
    { [t.username]: 'hana', [t.email]: 'x', [t.password]: 'sec 9', [t.repeatPassword]: 'sec 9' },
    t.signUp,
  );
}

async function rename(response: () => Response, language: Language = 'en'): Promise<void> {
  const t = catalogues[language];
  serve({ ...LOGGED_IN, 'PATCH /api/user/me': response });
  show(<App />, { language });
  await userEvent.click(await screen.findByRole('button', { name: t.changeName }));
  await fillIn({ [t.newName]: 'dul' }, t.save);
}

async function changePassword(response: () => Response, language: Language = 'en'): Promise<void> {
  const t = catalogues[language];
  serve({ ...LOGGED_IN, 'POST /api/user/password': response });
  show(<App />, { language });
  await userEvent.click(await screen.findByRole('button', { name: t.changePassword }));
  await fillIn(
    { [t.currentPassword]: 'wrong', [t.newPassword]: 'sec 9', [t.repeatPassword]: 'sec 9' },
    t.save,
  );
}

describe.each(['en', 'ko'] as const)('what the page says in %s', (language) => {
  const t = catalogues[language];
  const alertSays = async (words: string | RegExp): Promise<void> => {
    expect(await screen.findByRole('alert')).toHaveTextContent(words);
  };

  it('of a wrong login: what to look at', async () => {
    await logIn(answer(401), language);
    await alertSays(t.wrongLogin);
  });

  it('of a sign-up whose name or address is taken: both, and the ways on', async () => {
    await signUp(answer(409), language);
    await alertSays(t.taken);
  });

  it('of a new name that is taken: the name only', async () => {
    await rename(answer(409), language);
    await alertSays(t.nameTaken);
  });

  it('of a wrong current password, at its field', async () => {
    const wrong = { loc: ['body', 'current_password'], msg: 'No.', type: 'value_error' };
    await changePassword(() => json(422, { detail: [wrong] }), language);
    const field = screen.getByLabelText(new RegExp(`^${t.currentPassword}`), { selector: 'input' });
    await waitFor(() => {
      expect(field).toHaveAccessibleDescription(t.wrongPassword);
    });
    expect(field).toHaveFocus();
  });

  it.each([
    [429, '7', { en: 'Try again in 7 seconds.', ko: '7초 후에 다시 시도하세요.' }],
    [429, undefined, { en: 'Try again in a moment.', ko: '잠시 후에 다시 시도하세요.' }],
    [503, '7', { en: 'Try again in 7 seconds.', ko: '7초 후에 다시 시도하세요.' }],
    [503, 'Wed, 21 Oct 2026 07:28:00 GMT', { en: 'in a moment.', ko: '잠시 후에' }],
    [500, undefined, { en: 'Something went wrong.', ko: '문제가 생겼습니다.' }],
    [504, undefined, { en: 'Something went wrong.', ko: '문제가 생겼습니다.' }],
  ])('of %i with Retry-After %s: when to try again', async (status, after, words) => {
    const headers = {
      'Content-Language': 'x',
      ...(after !== undefined && { 'Retry-After': after }),
    };
    await signUp(answer(status, headers), language);
    await alertSays(words[language]);
  });
});

const WRONG_FIELDS = [
  { loc: ['body', 'username'], msg: 'field required', type: 'value_error.missing' },
  { loc: ['body', 'email'], msg: 'value is not a valid email address', type: 'value_error.email' },
  {
    loc: ['body', 'password1'],
    msg: 'ensure this value has at least 8 characters',
    type: 'value_error.any_str.min_length',
    ctx: { limit_value: 8 },
  },
];

it("says what is wrong with a field in people's words, at the field", async () => {
  await signUp(() => json(422, { detail: WRONG_FIELDS }));
  await waitFor(() => {
    expect(screen.getByLabelText(/^Email/)).toHaveAccessibleDescription(
      'This is not an email address. One looks like name@example.com.',
    );
  });
  expect(screen.getByLabelText(/^Username/)).toHaveAccessibleDescription('This is needed.');
  expect(screen.getByLabelText(/^Password/, { selector: 'input' })).toHaveAccessibleDescription(
    /Use at least 8 characters\./,
  );
  expect(screen.getByLabelText(/^Username/)).toHaveFocus();
  expect(screen.queryByRole('alert')).toBeNull();
});

it('lets the service say what the page has no words for', async () => {
  const detail = [
    { loc: ['body', 'username'], msg: 'Not with a tail.', type: 'value_error' },
    { loc: ['body', 'password1'], msg: 'Longer.', type: 'value_error.any_str.min_length' },
  ];
  await signUp(() => json(422, { detail }));
  expect(await screen.findByText('Not with a tail.')).toBeVisible();
  expect(screen.getByText('Longer.')).toBeVisible();
});

it('says above the form what is wrong with a field that it does not have', async () => {
  const detail = [
    ...WRONG_FIELDS,
    { loc: ['body', 'birthday'], msg: 'field required', type: 'value_error.missing' },
    { loc: ['body'], msg: 'This is not valid JSON.', type: 'value_error.jsondecode' },
  ];
  await signUp(() => json(422, { detail }));
  const alert = await screen.findByRole('alert');
  expect(alert).toHaveTextContent(/^birthday: This is needed\. This is not valid JSON\.$/);
  expect(screen.getByLabelText(/^Username/)).toHaveAccessibleDescription('This is needed.');
});

describe('when the language is switched', () => {
  const toKorean = (): Promise<void> =>
    userEvent.click(screen.getByRole('button', { name: '한국어' }));

  it('an alert follows', async () => {
    await logIn(answer(503, { 'Retry-After': '3' }));
    await screen.findByText(/in 3 seconds/);
    await toKorean();
    expect(screen.getByRole('alert')).toHaveTextContent('3초 후에');
  });

  it('an alert in the words of the service gives way to one of the page', async () => {
    await logIn(answer(403));
    await screen.findByText('What the service says.');
    await toKorean();
    expect(screen.getByRole('alert')).toHaveTextContent(catalogues.ko.broken);
  });

  it('what is said at the fields follows, whoever has said it', async () => {
    const strange = { loc: ['body', 'email'], msg: 'Strange.', type: 'value_error' };
    const [missing] = WRONG_FIELDS;
    await signUp(() => json(422, { detail: [missing, strange] }));
    await screen.findByText('Strange.');
    await toKorean();
    expect(screen.getByLabelText(/^이메일/)).toHaveAccessibleDescription(catalogues.ko.notTaken);
    expect(screen.getByLabelText(/^사용자 이름/)).toHaveAccessibleDescription(
      catalogues.ko.required,
    );
  });

  it('what the page itself has said at the fields follows', async () => {
    serve({ 'GET /api/user/me': NOBODY });
    show(<App />, { path: '/signup' });
    await fillIn({ Password: 'a', 'Repeat the password': 'b' }, 'Sign up');
    await screen.findByText('The passwords do not match.');
    await toKorean();
    expect(screen.getByText(catalogues.ko.mismatch)).toBeVisible();
    expect(screen.getByLabelText(/^이메일/)).toHaveAccessibleDescription(catalogues.ko.required);
  });
});
