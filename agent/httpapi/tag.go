package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// tagOf names what an answer says, so that a client which has it already need not be
// sent it again. The tag is weak: the gateway may compress what it names.
func tagOf(answer any) (string, error) {
	b, err := json.Marshal(answer)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, nil
}

// tagged answers with JSON, or with 304 where the client has the same already.
func tagged(c echo.Context, answer any) error {
	tag, err := tagOf(answer)
	if err != nil {
		return err
	}
	c.Response().Header().Set("ETag", tag)
	if matches(c.Request().Header.Values("If-None-Match"), tag) {
		return c.NoContent(http.StatusNotModified)
	}
	return c.JSON(http.StatusOK, answer)
}

// matches reports whether a list of tags has one, by weak comparison (RFC 9110,
// 13.1.2).
func matches(lists []string, tag string) bool {
	for _, list := range lists {
		for one := range strings.SplitSeq(list, ",") {
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
	}
	return false
}
