import { useEffect, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';

/** Where links in mails lead; each ends with its token, after `#`, which no server is sent. */
const LINKS: readonly string[] = [
  '/reset-password',
  '/verify-email',
  '/change-email',
  '/revert-email',
];
/** Where the skip link leads, on every page. */
const CONTENT = '#content';

/**
 * The token of the link that this page was opened with. It is taken out of the address bar and the
 * history at once, is kept nowhere but in memory, and is forgotten on another page.
 *
 * @returns empty if there is none
 */
export function useMailToken(): string {
  const { pathname, hash } = useLocation();
  const navigate = useNavigate();
  const [kept, keep] = useState({ pathname: '', token: '' });
  const isLink = LINKS.includes(pathname) && hash.length > 1 && hash !== CONTENT;
  const token = isLink ? hash.slice(1) : kept.pathname === pathname ? kept.token : '';
  if (kept.pathname !== pathname || kept.token !== token) keep({ pathname, token });
  useEffect(() => {
    if (isLink) void navigate(pathname, { replace: true });
  }, [pathname, isLink, navigate]);
  return token;
}
