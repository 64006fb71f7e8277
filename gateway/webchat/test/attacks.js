// What must stay inert, and every place of an answer in which it may stand.

export const attacks = ['<img src=x onerror=alert(1)>', '<script>alert(1)</script>', '<svg onload=alert(1)>', '[x](javascript:alert(1))', '![x](javascript:alert(1))', '<javascript:alert(1)>', '<iframe srcdoc=x>', '"><img src=x onerror=alert(1)>',
  '<a href="javascript:alert(1)">x</a>', '<math><mtext><img src=x onerror=alert(1)>', '[x](https://a.b"onmouseover="alert(1))', '<form action=//a.b><button>x', '<style>*{}</style>', '<base href=//a.b>', '&lt;img src=x onerror=alert(1)&gt;', '<noscript><p title="</noscript><img src=x onerror=alert(1)>">']
export const places = /** @type {((x: string) => string)[]} */ ([
  (x) => x, (x) => `# ${x}`, (x) => `- ${x}`, (x) => `> ${x}`, (x) => `> [!NOTE]\n> ${x}`, (x) => `> [!${x}]\n> y`, (x) => `| ${x} |\n|---|\n| ${x} |`, (x) => `|a|\n|:-${x}|\n`, (x) => `\`\`\`${x}\ny\n\`\`\``, (x) => `\`\`\`js\n${x}\n\`\`\``, (x) => `\`${x}\``,
  (x) => `y[^1]\n\n[^1]: ${x}`, (x) => `y[^${x}]\n\n[^${x}]: z`, (x) => `<details>\n<summary>${x}</summary>\n\n${x}\n</details>`, (x) => `<details ${x}>\ny</details>`, (x) => `H<sub>${x}</sub>`, (x) => `<kbd ${x}>y</kbd>`, (x) => `<br ${x}>`, (x) => `$${x}_2$`, (x) => `\\(${x}_2\\)`, (x) => `$$\n${x}\n$$`,
  (x) => `$\\text{${x}}$`, (x) => `$\\href{${x}}{y}$`, (x) => `$\\class{${x}}{y}$`, (x) => `$\\url{${x}}$`, (x) => `[y][z]\n\n[z]: ${x} "${x}"`, (x) => `[y](https://a.b "${x}")`, (x) => `![${x}](https://a.b/i.png)`, (x) => `**${x}：**中`, (x) => `https://a.b/${x}`, (x) => `- [ ] ${x}`, (x) => `1. ${x}\n\n   ${x}`,
])
