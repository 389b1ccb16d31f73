import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import type { ReactNode } from 'react';
import { MemoryRouter } from 'react-router';
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

export function json(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
}
