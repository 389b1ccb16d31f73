import { createTheme, PasswordInput, TextInput } from '@mantine/core';

/** Contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3), in both schemes; the tests look at it. */
export const theme = createTheme({
  primaryColor: 'brand',
  primaryShade: { light: 8, dark: 6 },
  colors: {
    brand: [
      '#edf5f7',
      '#d9e8ec',
      '#b3d1d9',
      '#8fbdc9',
      '#63a0b0',
      '#478a9c',
      '#327789',
      '#236676',
      '#175768',
      '#0b4656',
    ],
    // Mantine's, with a little of the brand in it.
    dark: [
      '#ccd4d7',
      '#b9c4c8',
      '#8d9ba1',
      '#75848a',
      '#435055',
      '#344045',
      '#263034',
      '#1c2326',
      '#161c1e',
      '#101516',
    ],
  },
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily:
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Apple SD Gothic Neo', 'Noto Sans KR', 'Malgun Gothic', sans-serif",
  headings: { fontWeight: '650', textWrap: 'balance' },
  components: {
    TextInput: TextInput.extend({ defaultProps: { size: 'md' } }),
    PasswordInput: PasswordInput.extend({ defaultProps: { size: 'md' } }),
  },
});
