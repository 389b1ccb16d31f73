import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import type { ReactNode } from 'react';
import { MemoryRouter } from 'react-router';
import type { Session } from './api/client';
import { createQueryClient } from './api/queries';
import { LanguageProvider } from './i18n/language';
import type { Language } from './i18n/messages';
import { theme } from './theme';

/** Draws something within all that the page gives it. */
export function show(
  what: ReactNode,
  { path = '/', language = 'en' }: { path?: string; language?: Language } = {},
): void {
  localStorage.setItem('language', language);
  render(
    <MantineProvider theme={theme} env="test">
      <LanguageProvider>
        <QueryClientProvider client={createQueryClient()}>
          <MemoryRouter initialEntries={[path]}>{what}</MemoryRouter>
        </QueryClientProvider>
      </LanguageProvider>
    </MantineProvider>,
  );
}

/** What the service answers, by method and path; what is not here it does not answer at all. */
export type Answers = Record<string, (request: Request) => Response | Promise<Response>>;

/** Puts a service with these answers where the page looks for one. @returns what it was sent */
export function serve(answers: Answers): Request[] {
  const sent: Request[] = [];
  globalThis.fetch = (input, init) => {
    const request = new Request(input, init);
    sent.push(request);
    const answer = answers[`${request.method} ${new URL(request.url).pathname}`];
    return answer === undefined
      ? Promise.reject(new TypeError('fetch failed'))
      : Promise.resolve(answer(request));
  };
  return sent;
}

/** An answer as the service gives one to who wishes for English. */
export function json(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json', 'Content-Language': 'en', ...headers },
  });
}

export const empty = (): Response => new Response(null, { status: 204 });

export const ME = {
  id: 7,
  username: 'hana',
  email: 'hana@example.com',
  email_verified_at: '2027-01-01T09:00:00.000Z' as string | null,
};
export const NOBODY = (): Response => json(401, { detail: 'Not authenticated' });

/** A login, as the service shows it. */
export const session = (id: string, current = false): Session => ({
  id,
  created_at: '2027-01-01T09:00:00.000Z',
  last_used_at: '2027-01-01T09:00:00.000Z',
  expires_at: '2027-01-02T09:00:00.000Z',
  ip: '203.0.113.7',
  user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0',
  current,
});

/** The list of these logins, page by page; what changes in them changes there. */
export function sessionsOf(sessions: readonly object[]): (request: Request) => Response {
  return ({ url }) => {
    const query = new URL(url).searchParams;
    const [page, size] = [Number(query.get('page')), Number(query.get('size'))];
    const items = sessions.slice((page - 1) * size, page * size);
    return json(200, { items, total: sessions.length, page, size });
  };
}
