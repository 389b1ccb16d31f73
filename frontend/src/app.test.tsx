import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { App } from './app';
import { json, serve, show } from './test-render';

const ME = { id: 7, username: 'hana', email: 'hana@example.com' };
const NOBODY = (): Response => json(401, { detail: 'Not authenticated' });
const session = (id: string, current: boolean): object => ({
  id,
  created_at: '2027-01-01T09:00:00.000Z',
  last_used_at: '2027-01-01T09:00:00.000Z',
  expires_at: '2027-01-02T09:00:00.000Z',
  ip: '203.0.113.7',
  user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0',
  current,
});

it('asks who is there, and lets nobody in', async () => {
  serve({ 'GET /api/user/me': NOBODY });
  show(<App />);
  expect(await screen.findByRole('button', { name: 'Log in' })).toBeVisible();
});

it('sends a login as a form, in the language of the page', async () => {
  const sent = serve({
    'GET /api/user/me': NOBODY,
    'POST /api/user/session': () => json(401, { detail: '틀렸습니다.' }),
  });
  show(<App />, { language: 'ko' });
  await userEvent.type(await screen.findByLabelText(/사용자 이름/), 'hana');
  await userEvent.type(screen.getByLabelText(/^비밀번호/, { selector: 'input' }), 'secret 9');
  await userEvent.click(screen.getByRole('button', { name: '로그인' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('틀렸습니다.');
  const [request] = sent.filter(({ method }) => method === 'POST');
  expect(request?.headers.get('Content-Type')).toBe('application/x-www-form-urlencoded');
  expect(request?.headers.get('Accept-Language')).toBe('ko');
  expect(await request?.text()).toBe('username=hana&password=secret+9');
});

it('puts what the service says of a field at that field', async () => {
  serve({
    'GET /api/user/me': NOBODY,
    'POST /api/user/create': () =>
      json(422, { detail: [{ loc: ['body', 'email'], msg: 'no address', type: 'value_error' }] }),
  });
  show(<App />, { path: '/signup' });
  await userEvent.type(await screen.findByLabelText(/Username/), 'hana');
  await userEvent.type(screen.getByLabelText(/Email/), 'x');
  await userEvent.type(screen.getByLabelText(/^Password/, { selector: 'input' }), 'secret 9');
  await userEvent.type(screen.getByLabelText(/Repeat/, { selector: 'input' }), 'secret 9');
  await userEvent.click(screen.getByRole('button', { name: 'Sign up' }));
  await waitFor(() => {
    expect(screen.getByLabelText(/Email/)).toHaveAccessibleDescription('no address');
  });
  expect(screen.getByLabelText(/Email/)).toHaveFocus();
  expect(screen.queryByRole('alert')).toBeNull();
});

it('compares the two passwords before anything is sent', async () => {
  const sent = serve({ 'GET /api/user/me': NOBODY });
  show(<App />, { path: '/signup' });
  await userEvent.type(await screen.findByLabelText(/^Password/, { selector: 'input' }), 'a');
  await userEvent.type(screen.getByLabelText(/Repeat/, { selector: 'input' }), 'b');
  await userEvent.click(screen.getByRole('button', { name: 'Sign up' }));
  expect(await screen.findByText('The passwords do not match.')).toBeVisible();
  expect(sent.filter(({ method }) => method === 'POST')).toHaveLength(0);
});

it.each([
  [409, 'The name is taken.', 'The name is taken.'],
  [429, 'Too many.', 'That was tried too often. Try again in 7 s.'],
  [503, 'Overloaded.', 'The service is busy right now. Try again in 7 s.'],
  [500, 'Internal Server Error', 'Something went wrong. Try again in a moment.'],
])('tells %i in words', async (status, detail, words) => {
  serve({
    'GET /api/user/me': NOBODY,
    'POST /api/user/session': () =>
      json(status, { detail }, status === 429 || status === 503 ? { 'Retry-After': '7' } : {}),
  });
  show(<App />);
  await userEvent.type(await screen.findByLabelText(/Username/), 'hana');
  await userEvent.type(screen.getByLabelText(/Password/, { selector: 'input' }), 'x');
  await userEvent.click(screen.getByRole('button', { name: 'Log in' }));
  expect(await screen.findByRole('alert')).toHaveTextContent(words);
});

it('shows who I am and where I am logged in, and ends one login', async () => {
  const sessions = [session('a', true), session('b', false)];
  serve({
    'GET /api/user/me': () => json(200, ME),
    'GET /api/user/sessions': () =>
      json(200, { items: sessions, total: sessions.length, page: 1, size: 6 }),
    'DELETE /api/user/sessions/b': () => {
      sessions.pop();
      return new Response(null, { status: 204 });
    },
  });
  show(<App />);
  expect(await screen.findByRole('heading', { name: 'Hello, hana' })).toBeVisible();
  expect(screen.getByText('hana@example.com')).toBeVisible();
  const [mine, other] = await screen.findAllByRole('listitem');
  if (mine === undefined || other === undefined) throw new Error('There are two logins');
  expect(within(mine).getByText('This device')).toBeVisible();
  expect(within(mine).queryByRole('button')).toBeNull();
  await userEvent.click(within(other).getByRole('button'));
  expect(await screen.findByText('You are logged in nowhere else.')).toBeVisible();
});

it('says so when the login has ended elsewhere', async () => {
  let loggedIn = true;
  serve({
    'GET /api/user/me': () => (loggedIn ? json(200, ME) : NOBODY()),
    'GET /api/user/sessions': () =>
      json(200, { items: [session('a', true), session('b', false)], total: 2, page: 1, size: 6 }),
    'DELETE /api/user/sessions': NOBODY,
  });
  show(<App />);
  const button = await screen.findByRole('button', { name: 'End all others' });
  loggedIn = false;
  await userEvent.click(button);
  expect(await screen.findByText(/ended elsewhere, or has expired/)).toBeVisible();
});

it('says so when the account is made and the login fails', async () => {
  serve({
    'GET /api/user/me': NOBODY,
    'POST /api/user/create': () => new Response(null, { status: 204 }),
    'POST /api/user/session': () => json(503, { detail: 'Overloaded.' }, { 'Retry-After': '3' }),
  });
  show(<App />, { path: '/signup' });
  await userEvent.type(await screen.findByLabelText(/Username/), 'hana');
  await userEvent.type(screen.getByLabelText(/Email/), 'hana@example.com');
  await userEvent.type(screen.getByLabelText(/^Password/, { selector: 'input' }), 'secret 9');
  await userEvent.type(screen.getByLabelText(/Repeat/, { selector: 'input' }), 'secret 9');
  await userEvent.click(screen.getByRole('button', { name: 'Sign up' }));
  expect(await screen.findByText('Your account has been made. Log in.')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Log in' })).toBeVisible();
});

it('says so when logging out fails', async () => {
  serve({
    'GET /api/user/me': () => json(200, ME),
    'GET /api/user/sessions': () =>
      json(200, { items: [session('a', true)], total: 1, page: 1, size: 6 }),
    'DELETE /api/user/session': () => json(503, { detail: 'Away.' }, { 'Retry-After': '2' }),
  });
  show(<App />);
  await userEvent.click(await screen.findByRole('button', { name: 'Log out' }));
  expect(await screen.findByText(/Try again in 2 s\./)).toBeVisible();
});

it('offers to try again when nobody answers', async () => {
  const answers: Parameters<typeof serve>[0] = {
    'GET /api/user/me': () => json(404, { detail: 'Not Found' }),
  };
  serve(answers);
  show(<App />);
  const again = await screen.findByRole('button', { name: 'Try again' });
  expect(screen.getByText('Not Found')).toBeVisible();
  answers['GET /api/user/me'] = NOBODY;
  await userEvent.click(again);
  expect(await screen.findByRole('button', { name: 'Log in' })).toBeVisible();
});
