// Line icons for what steps do. They come with the cards.

import { html } from 'htm/preact'

/** @type {Record<import('../chat/steps.js').Kind, string>} */
const shapes = {
  file: 'M7 3h7l5 5v13H7zM14 3v5h5',
  write: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
  folder: 'M3 6h6l2 2h10v11H3z',
  search: 'M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14M20 20l-4-4',
  web: 'M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14M20 20l-4-4M4 11h14',
  page: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18M3 12h18M12 3c-6 6-6 12 0 18M12 3c6 6 6 12 0 18',
  command: 'M3 5h18v14H3zM7 10l3 2-3 2M12 15h5',
  memory: 'M6 3h12v18l-6-5-6 5z',
  clock: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18M12 7v5l3 2',
  plan: 'M9 6h11M9 12h11M9 18h11M4 6h1M4 12h1M4 18h1',
  skill: 'M12 5c-3-2-6-2-9-1v15c3-1 6-1 9 1 3-2 6-2 9-1V4c-3-1-6-1-9 1v15',
  tool: 'M14.5 6a4 4 0 0 0-5 5L4 16.5 7.5 20l5.5-5.5a4 4 0 0 0 5-5L15.5 12 12 8.5z',
}

/** @param {{kind: import('../chat/steps.js').Kind, running?: boolean}} props */
export const Sign = ({ kind, running = false }) => (running ? html`<span class="glyph running" aria-hidden="true"></span>`
  : html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${shapes[kind]} /></svg>`)
