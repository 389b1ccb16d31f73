import {
  ActionIcon,
  Anchor,
  Box,
  Button,
  Container,
  Group,
  Menu,
  Text,
  useMantineColorScheme,
} from '@mantine/core';
import {
  IconDeviceDesktop,
  IconLanguage,
  IconLogout,
  IconMoon,
  IconSun,
} from '@tabler/icons-react';
import { type JSX, type ReactNode, useEffect, useRef } from 'react';
import { Link, useLocation } from 'react-router';
import { useLogOut, useMe } from '../api/queries';
import { useSpeech } from '../i18n/language';
import { languages } from '../i18n/messages';
import { Brand } from './brand';

/** What stands around every page: the way past it, the name, the settings of the page, and the way out. */
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
          <Anchor component={Link} to="/" underline="never" c="inherit" aria-label={t.home}>
            <Group gap="xs" wrap="nowrap">
              <Brand />
              <Text fw={650} visibleFrom="xs">
                {t.account}
              </Text>
            </Group>
          </Anchor>
          <Group gap={4} wrap="nowrap">
            <LanguageMenu />
            <SchemeMenu />
            {me && (
              <Button
                variant="subtle"
                size="sm"
                px="xs"
                leftSection={<IconLogout size={18} aria-hidden />}
                loading={logOut.isPending}
                onClick={() => {
                  logOut.mutate();
                }}
              >
                {t.logOut}
              </Button>
            )}
          </Group>
        </Group>
      </Container>
    </Box>
  );
}

function LanguageMenu(): JSX.Element {
  const { t, language, setLanguage } = useSpeech();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" size="lg" aria-label={t.language}>
          <IconLanguage size={20} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {languages.map(({ tag, name }) => (
          <Menu.Item
            key={tag}
            lang={tag}
            fw={tag === language ? 650 : undefined}
            aria-current={tag === language}
            onClick={() => {
              setLanguage(tag);
            }}
          >
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function SchemeMenu(): JSX.Element {
  const { t } = useSpeech();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const schemes = [
    ['light', IconSun, t.light],
    ['dark', IconMoon, t.dark],
    ['auto', IconDeviceDesktop, t.auto],
  ] as const;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" size="lg" aria-label={t.scheme}>
          <Box component={IconSun} size={20} darkHidden aria-hidden />
          <Box component={IconMoon} size={20} lightHidden aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {schemes.map(([scheme, Icon, name]) => (
          <Menu.Item
            key={scheme}
            leftSection={<Icon size={16} aria-hidden />}
            fw={scheme === colorScheme ? 650 : undefined}
            aria-current={scheme === colorScheme}
            onClick={() => {
              setColorScheme(scheme);
            }}
          >
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
