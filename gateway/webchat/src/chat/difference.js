// How two texts differ, line by line. It comes with the first file that is compared.

export { diffLines } from 'diff'
