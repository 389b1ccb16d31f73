import { Alert, Button, Center, Loader, Stack } from '@mantine/core';
import { type JSX, lazy, type ReactNode, Suspense } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import { useMe } from './api/queries';
import { ErrorBoundary } from './components/error-boundary';
import { Layout } from './components/layout';
import { useProblemText } from './components/problem-alert';
import { useSpeech } from './i18n/language';
import { LogInPage } from './pages/log-in';
import { NotFoundPage } from './pages/not-found';
import { SignUpPage } from './pages/sign-up';

// What only those see who are logged in comes when they are.
const HomePage = lazy(() => import('./pages/home/home'));

/** Every page, and who may see it. */
export function App(): JSX.Element {
  return (
    <Layout>
      <ErrorBoundary instead={<Broken />}>
        <Suspense fallback={<Waiting />}>
          <Routes>
            <Route path="/" element={<ForMe page={<HomePage />} />} />
            <Route path="/login" element={<ForNobody page={<LogInPage />} />} />
            <Route path="/signup" element={<ForNobody page={<SignUpPage />} />} />
            <Route path="*" element={<NotFoundPage />} />
          </Routes>
        </Suspense>
      </ErrorBoundary>
    </Layout>
  );
}

/** A page for whoever is logged in; others log in first. */
function ForMe({ page }: { readonly page: ReactNode }): ReactNode {
  const { data: me, error, refetch } = useMe();
  if (me === null) return <Navigate to="/login" replace />;
  if (me !== undefined) return page;
  return error === null ? <Waiting /> : <Unreachable error={error} again={() => void refetch()} />;
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
      again={() => {
        window.location.reload();
      }}
    />
  );
}

function Unreachable({
  error,
  again,
}: {
  readonly error: Error;
  readonly again: () => void;
}): JSX.Element {
  const { t } = useSpeech();
  const text = useProblemText(error);
  return (
    <Center mih="60vh" p="md">
      <Stack align="center" maw={420}>
        <Alert color="red" variant="light">
          {text}
        </Alert>
        <Button onClick={again}>{t.tryAgain}</Button>
      </Stack>
    </Center>
  );
}
