package tools

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// The encodings of a file's content in arguments and results. The original took
// Node's names; these are the ones that make sense for both.
const (
	encUTF8   = "utf-8"
	encBase64 = "base64"
	encHex    = "hex"
	encLatin1 = "latin1"
)

func isUTF8(encoding string) bool {
	switch strings.ToLower(encoding) {
	case "", encUTF8, "utf8", "ascii":
		return true
	}
	return false
}

func checkEncoding(encoding string) error {
	switch strings.ToLower(encoding) {
	case encBase64, encHex, encLatin1, "binary":
		return nil
	}
	if isUTF8(encoding) {
		return nil
	}
	return failed("the encoding %.40q is not known; use utf-8, base64, hex or latin1", encoding)
}

func encodeText(body []byte, encoding string) (string, error) {
	switch strings.ToLower(encoding) {
	case encBase64:
		return base64.StdEncoding.EncodeToString(body), nil
	case encHex:
		return hex.EncodeToString(body), nil
	case encLatin1, "binary":
		runes := make([]rune, len(body))
		for i, c := range body {
			runes[i] = rune(c)
		}
		return string(runes), nil
	}
	if !utf8.Valid(body) {
		return "", failed("the file is not text in UTF-8; read it with encoding=base64")
	}
	return string(body), nil
}

func decodeText(content, encoding string) ([]byte, error) {
	switch strings.ToLower(encoding) {
	case encBase64:
		body, err := base64.StdEncoding.DecodeString(content)
		if err != nil {
			return nil, failed("the content is not base64: %v", err)
		}
		return body, nil
	case encHex:
		body, err := hex.DecodeString(content)
		if err != nil {
			return nil, failed("the content is not hex: %v", err)
		}
		return body, nil
	case encLatin1, "binary":
		body := make([]byte, 0, len(content))
		for _, r := range content {
			if r > 0xFF {
				return nil, failed("the content has the character %q, which latin1 has not; use utf-8", r)
			}
			body = append(body, byte(r)) //nolint:gosec // at most 0xFF
		}
		return body, nil
	}
	return []byte(content), nil
}
