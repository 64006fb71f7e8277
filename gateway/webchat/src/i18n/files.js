// Words about files. They come with what draws files, in both languages.

import { filledIn, language } from './language.js'

/** @typedef {[en: string, zh: string]} Words */

/** @satisfies {Record<string, Words>} */
export const words = {
  list: ['Attached files', '附件'],
  image: ['image', '图片'],
  text: ['text', '文本'],
  pdf: ['PDF', '便携文档'],
  word: ['Word document', '文字文档'],
  sheet: ['spreadsheet', '表格'],
  slides: ['slides', '幻灯片'],
  other: ['file', '文件'],
  empty: ['It is empty.', '这是空文件。'],
  tooLarge: ['Too large: at most 8 MiB.', '太大：最多 8 兆字节。'],
  kind: ['Nothing can be read of this kind of file. Attach text, an image, a PDF or an Office document.', '无法读取这种文件。请改为文本、图片或办公文档。'],
  legacy: ['Documents of older Office programs cannot be read. Save it in the newer format.', '无法读取旧版办公文档。请另存为新格式。'],
  encrypted: ['It is encrypted. Attach it without its password.', '文件已加密。请去掉密码后再添加。'],
  pixels: ['The image is too large: at most 40 megapixels.', '图片太大：最多 4000 万像素。'],
  animated: ['An animated image of this kind cannot be read. Attach one picture of it.', '无法读取这种动图。请添加其中一帧。'],
  unreadable: ['This browser cannot read it: it may be a folder, or be gone.', '浏览器无法读取：可能是文件夹，或已不存在。'],
  lost: ['It was not uploaded before the page was closed. Attach it again.', '页面关闭之前没有上传完。请重新添加。'],
  waiting: ['waits', '等待中'],
  uploading: ['uploading, {n} %', '上传中，{n}%'],
  resting: ['goes on by itself', '稍后自动继续'],
  ready: ['ready', '已就绪'],
  remove: ['Remove {name}', '移除 {name}'],
  again: ['Try {name} again', '重试 {name}'],
  sum: ['{n} files attached, {ready} uploaded.', '已添加 {n} 个文件，已上传 {ready} 个。'],
  sumStuck: ['{n} of them cannot be sent.', '其中 {n} 个无法发送。'],
  show: ['Show', '查看'],
  download: ['Download', '下载'],
  changed: ['The file in the workspace is another one by now. What was sent stays with the conversation.', '工作区里的文件已被改动。发送时的内容仍保存在对话中。'],
  gone: ['The file is no longer in the workspace. What was sent stays with the conversation.', '工作区里已没有这个文件。发送时的内容仍保存在对话中。'],
  changedEdit: ['The file in the workspace is another one by now: that one would be sent.', '工作区里的文件已被改动：将发送改动后的文件。'],
  goneEdit: ['The file is no longer in the workspace. Remove it here, then send.', '工作区里已没有这个文件。请先在这里移除，再发送。'],
  away: ['The file could not be fetched.', '未能取到文件。'],
  unkept: ['It came with a request of another program; there is no file of it.', '由其他程序随请求发来，没有对应的文件。'],
  unkeptEdit: ['There is no file of it: the new version goes without it.', '没有对应的文件：新版本不会带上它。'],
  undrawn: ['This browser cannot show the image.', '浏览器无法显示这张图片。'],
  fetching: ['The file is on its way…', '正在取文件……'],
  tooManyPixels: ['It has {size} pixels; at most 40 megapixels are read.', '共 {size} 像素，最多读取 4000 万像素。'],
  unread: ['The model could not read it:', '模型未能读取：'],
}

/** What the agent says of a file that it could not read (agent/attach). @type {Record<string, Words>} */
export const problems = {
  'it is empty': ['it is empty', '是空文件'],
  'it is damaged or cut off': ['it is damaged or cut off', '已损坏或不完整'],
  'it is encrypted': ['it is encrypted', '已加密'],
  'it holds no text; it may be made of pictures': ['it holds no text; it may be made of pictures', '没有文字，可能由图片组成'],
  'it takes too long to read': ['it takes too long to read', '读取时间过长'],
  'it needs too much memory to read': ['it needs too much memory to read', '读取所需内存过多'],
  'it could not be read': ['it could not be read', '无法读取'],
  'it unpacks to more than 96 MiB': ['it unpacks to more than 96 MiB', '解压后超过 96 兆字节'],
  'it has too many parts': ['it has too many parts', '包含的部分过多'],
  'it is an animated WebP, of which no picture can be read': ['it is an animated WebP, of which no picture can be read', '是动图，无法读取其中的画面'],
}

/** @param {keyof typeof words} key @param {Record<string, string|number>} [values] */
export function f(key, values) {
  const [en, zh] = words[key]
  return filledIn(language.value === 'zh' ? zh : en, values)
}

/** Why a model was shown nothing of a file, in the reader's language where we know it. @param {string} error */
export function problemText(error) {
  const size = /^it has (\d+ × \d+) pixels; at most 40 megapixels are read$/.exec(error)?.[1]
  if (size) return f('tooManyPixels', { size })
  const known = Object.hasOwn(problems, error) ? problems[error] : undefined
  return `${f('unread')} ${known ? known[language.value === 'zh' ? 1 : 0] : error}`
}
