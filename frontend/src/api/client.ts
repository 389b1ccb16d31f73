import createClient from 'openapi-fetch';
import type { components, paths } from './schema';

export type User = components['schemas']['UserResponse'];
export type Session = components['schemas']['SessionResponse'];
export type SessionPage = components['schemas']['SessionPageResponse'];

/** What paths of the API begin with here; see `index.html`. */
function prefix(): string {
  return document.querySelector<HTMLMetaElement>('meta[name=api]')?.content ?? '/api';
}

/**
 * The service, as it describes itself: a path, a field or an answer that it has not does not
 * compile. The browser sends its cookie along; no script here ever sees a token.
 */
export const api = createClient<paths>({
  baseUrl: window.location.origin + prefix(),
  // Asked for at each request, and not once.
  fetch: (request) => fetch(request),
  credentials: 'same-origin',
});

let language = 'ko';

/** Language that the service is to speak from now on. */
export function setApiLanguage(tag: string): void {
  language = tag;
}

api.use({
  onRequest({ request }) {
    request.headers.set('Accept-Language', language);
    return request;
  },
});

/** How a form is sent, where `openapi-fetch` would send JSON. */
export const form = {
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  bodySerializer: (fields: object): URLSearchParams =>
    new URLSearchParams(Object.entries(fields as Record<string, string>)),
};
