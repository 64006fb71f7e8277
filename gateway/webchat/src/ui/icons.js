// Line icons, drawn here: no font, no request.

import { html } from 'htm/preact'

const shapes = {
  plus: 'M12 5v14M5 12h14',
  menu: 'M4 7h16M4 12h16M4 17h16',
  fold: 'M4 5h16v14H4zM10 5v14',
  close: 'M6 6l12 12M18 6L6 18',
  send: 'M12 19V5M6 11l6-6 6 6',
  clip: 'M20 11.5l-8 8a5 5 0 0 1-7-7l8.5-8.5a3.3 3.3 0 0 1 4.7 4.7L9.7 17.2a1.6 1.6 0 0 1-2.3-2.3l7.6-7.6',
  file: 'M13 3H6v18h12V8zM13 3v5h5',
  stop: 'M7 7h10v10H7z',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  copy: 'M9 9h10v10H9zM5 15V5h10',
  again: 'M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6',
  edit: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
  left: 'M14 6l-6 6 6 6',
  right: 'M10 6l6 6-6 6',
  down: 'M12 5v14M6 13l6 6 6-6',
  search: 'M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14M20 20l-4-4',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  check: 'M5 13l4 4L19 7',
  hand: 'M7 12V6a1.5 1.5 0 0 1 3 0v5V4.5a1.5 1.5 0 0 1 3 0V11 6a1.5 1.5 0 0 1 3 0v7-3a1.5 1.5 0 0 1 3 0v5a6 6 0 0 1-6 6h-2a6 6 0 0 1-5-3l-3-5a1.5 1.5 0 0 1 2.5-1.5z',
  gear: 'M4 7h10M18 7h2M4 17h4M12 17h8M14 5v4M8 15v4',
  tool: 'M14.5 6a4 4 0 0 0-5 5L4 16.5 7.5 20l5.5-5.5a4 4 0 0 0 5-5L15.5 12 12 8.5z',
}

/** The guardian himself, as in icon.svg. */
export const Bear = () => html`<svg class="bear" viewBox="0 0 64 64" aria-hidden="true">
  <circle cx="16" cy="17" r="10" fill="#6b4a2f" /><circle cx="48" cy="17" r="10" fill="#6b4a2f" />
  <circle cx="32" cy="35" r="25" fill="#7d5836" /><ellipse cx="32" cy="43" rx="12" ry="10" fill="#f0dcc0" />
  <circle cx="22" cy="30" r="3.5" fill="#22180f" /><circle cx="42" cy="30" r="3.5" fill="#22180f" /><ellipse cx="32" cy="39" rx="5" ry="3.5" fill="#22180f" />
</svg>`

/** @param {{name: keyof typeof shapes}} props */
export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${shapes[name]} /></svg>`
