import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { App } from './app';
import { empty, json, ME, NOBODY, serve, session, sessionsOf, show } from './test-render';

it('asks who is there, and lets nobody in', async () => {
  serve({ 'GET /api/user/me': NOBODY });
  show(<App />);
  expect(await screen.findByRole('button', { name: 'Log in' })).toBeVisible();
});

it('sends a login as a form, in the language of the page', async () => {
  const sent = serve({
    'GET /api/user/me': NOBODY,
    'POST /api/user/session': () => json(401, { detail: 'Incorrect' }),
  });
  show(<App />, { language: 'ko' });
  await userEvent.type(await screen.findByLabelText(/사용자 이름/), 'hana');
  await userEvent.type(screen.getByLabelText(/^비밀번호/, { selector: 'input' }), 'secret 9');
  await userEvent.click(screen.getByRole('button', { name: '로그인' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('올바르지 않습니다');
  const [request] = sent.filter(({ method }) => method === 'POST');
  expect(request?.headers.get('Content-Type')).toBe('application/x-www-form-urlencoded');
  expect(request?.headers.get('Accept-Language')).toBe('ko');
  expect(await request?.text()).toBe('username=hana&password=secret+9');
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

it('says so when the login has ended elsewhere', async () => {
  let loggedIn = true;
  serve({
    'GET /api/user/me': () => (loggedIn ? json(200, ME) : NOBODY()),
    'GET /api/user/sessions': sessionsOf([session('a', true), session('b')]),
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
    'POST /api/user/create': empty,
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
    'GET /api/user/sessions': sessionsOf([session('a', true)]),
    'DELETE /api/user/session': () => json(503, { detail: 'Away.' }, { 'Retry-After': '2' }),
  });
  show(<App />);
  await userEvent.click(await screen.findByRole('button', { name: 'Log out' }));
  expect(await screen.findByText(/Try again in 2 seconds\./)).toBeVisible();
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
