import { Anchor, Box, Button, Center, Container, Group, Text } from '@mantine/core';
import { IconLanguage, IconLogout } from '@tabler/icons-react';
import { type JSX, type ReactNode, useEffect, useRef } from 'react';
import { Link, useLocation } from 'react-router';
import { useLogOut, useMe } from '../api/queries';
import { useSpeech } from '../i18n/language';
import { languages } from '../i18n/messages';
import { ActionButton } from './action-button';
import { Brand } from './brand';
import { ProblemAlert } from './problem-alert';
import { SchemeSwitch } from './scheme-switch';

/** What stands around every page: the way past it, the name, the way out, and how the page is. */
export function Layout({ children }: { readonly children: ReactNode }): JSX.Element {
  const { t } = useSpeech();
  const main = useFocusOfNewPage();
  return (
    <Box mih="100dvh" display="flex" style={{ flexDirection: 'column' }}>
      <a className="skip-link" href="#content">
        {t.skip}
      </a>
      <Header />
      <Box
        component="main"
        id="content"
        ref={main}
        tabIndex={-1}
        flex={1}
        display="flex"
        style={{ flexDirection: 'column' }}
      >
        {children}
      </Box>
      <Center component="footer" p="md">
        <SchemeSwitch />
      </Center>
    </Box>
  );
}

/** Who uses a screen reader or the keyboard is taken to a new page, which the browser does not do here. */
function useFocusOfNewPage(): React.RefObject<HTMLDivElement | null> {
  const { pathname } = useLocation();
  const main = useRef<HTMLDivElement>(null);
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    main.current?.focus();
    window.scrollTo(0, 0);
  }, [pathname]);
  return main;
}

function Header(): JSX.Element {
  const { t } = useSpeech();
  const { data: me } = useMe();
  const logOut = useLogOut();
  return (
    <Box component="header">
      <Container size="lg" py="sm">
        <Group justify="space-between" wrap="nowrap" gap="xs">
          <Anchor component={Link} to="/" underline="never" c="inherit" aria-label={t.account}>
            <Group gap="xs" wrap="nowrap">
              <Brand />
              <Text fw={650} visibleFrom="xs">
                {t.account}
              </Text>
            </Group>
          </Anchor>
          <Group gap={4} wrap="nowrap">
            <LanguageSwitch />
            {me && (
              <ActionButton
                variant="subtle"
                size="sm"
                px="xs"
                leftSection={<IconLogout size={18} aria-hidden />}
                working={logOut.isPending}
                onClick={() => {
                  logOut.mutate();
                }}
              >
                {t.logOut}
              </ActionButton>
            )}
          </Group>
        </Group>
        <ProblemAlert error={logOut.error} />
      </Container>
    </Box>
  );
}

/** The other of the two languages, in its own words. */
function LanguageSwitch(): JSX.Element {
  const { language, setLanguage } = useSpeech();
  const other = languages.find(({ tag }) => tag !== language) ?? languages[0];
  return (
    <Button
      variant="subtle"
      size="sm"
      px="xs"
      lang={other.tag}
      leftSection={<IconLanguage size={18} aria-hidden />}
      onClick={() => {
        setLanguage(other.tag);
      }}
    >
      {other.name}
    </Button>
  );
}
