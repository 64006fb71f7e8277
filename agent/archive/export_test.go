package archive

// SumOf is for tests that forge archives.
var SumOf = sumOf
