import { Center, Loader, Stack } from '@mantine/core';
import { type JSX, lazy, type ReactNode, Suspense } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import { useMe } from './api/queries';
import { ActionButton } from './components/action-button';
import { ErrorBoundary } from './components/error-boundary';
import { keepFocus } from './components/keep-focus';
import { Layout } from './components/layout';
import { ProblemAlert } from './components/problem-alert';
import { useSpeech } from './i18n/language';
import { useMailToken } from './mail-token';
import { LogInPage } from './pages/log-in';
import { NotFoundPage } from './pages/not-found';
import { SignUpPage } from './pages/sign-up';

// What only those see who are logged in comes when they are, and what few need, when they do.
const HomePage = lazy(() => import('./pages/home/home'));
const ForgotPasswordPage = lazy(() => import('./pages/recovery/forgot-password'));
const ResetPasswordPage = lazy(() => import('./pages/recovery/reset-password'));
const VerifyEmailPage = lazy(() => import('./pages/recovery/verify-email'));
const RevertEmailPage = lazy(() => import('./pages/recovery/revert-email'));

/** Every page, and who may see it. */
export function App(): JSX.Element {
  // Here, where nothing that is still loading keeps it in the address bar.
  const token = useMailToken();
  return (
    <Layout>
      <ErrorBoundary instead={<Broken />}>
        <Suspense fallback={<Waiting />}>
          <Routes>
            <Route path="/" element={<ForMe page={<HomePage />} />} />
            <Route path="/login" element={<ForNobody page={<LogInPage />} />} />
            <Route path="/signup" element={<ForNobody page={<SignUpPage />} />} />
            <Route path="/forgot-password" element={<ForgotPasswordPage />} />
            <Route
              path="/reset-password"
              element={<ResetPasswordPage key={token} token={token} />}
            />
            <Route
              path="/verify-email"
              element={<ForAll page={<VerifyEmailPage key={token} token={token} />} />}
            />
            <Route
              path="/change-email"
              element={<ForAll page={<VerifyEmailPage key={token} token={token} isChange />} />}
            />
            <Route path="/revert-email" element={<RevertEmailPage key={token} token={token} />} />
            <Route path="*" element={<NotFoundPage />} />
          </Routes>
        </Suspense>
      </ErrorBoundary>
    </Layout>
  );
}

/** A page for whoever is logged in; others log in first. */
function ForMe({ page }: { readonly page: ReactNode }): ReactNode {
  const { data: me } = useMe();
  return me === null ? <Navigate to="/login" replace /> : <ForAll page={page} />;
}

/** A page that is another for whoever is logged in. */
function ForAll({ page }: { readonly page: ReactNode }): ReactNode {
  const { data: me, error, isFetching, refetch } = useMe();
  if (me !== undefined) return page;
  if (error === null) return <Waiting />;
  return <Unreachable error={error} working={isFetching} again={() => void refetch()} />;
}

/** A page for whoever is not; others have come to where they wanted to be. */
function ForNobody({ page }: { readonly page: ReactNode }): ReactNode {
  const { data: me, isPending } = useMe();
  if (isPending) return <Waiting />;
  return me ? <Navigate to="/" replace /> : page;
}

function Waiting(): JSX.Element {
  const { t } = useSpeech();
  return (
    <Center mih="60vh">
      <Loader aria-label={t.loading} />
    </Center>
  );
}

/** What helps is the page as it is now. */
function Broken(): JSX.Element {
  return (
    <Unreachable
      error={new Error('The page could not be drawn')}
      working={false}
      again={() => {
        window.location.reload();
      }}
    />
  );
}

const onceMoreDone = keepFocus((button) => button.closest('main'));

function Unreachable({
  error,
  working,
  again,
}: {
  readonly error: Error;
  readonly working: boolean;
  readonly again: () => void;
}): JSX.Element {
  const { t } = useSpeech();
  return (
    <Center mih="60vh" p="md">
      <Stack align="center" maw={420}>
        <ProblemAlert error={error} />
        <ActionButton working={working} onClick={again} ref={onceMoreDone}>
          {t.tryAgain}
        </ActionButton>
      </Stack>
    </Center>
  );
}
