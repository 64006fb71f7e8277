package httpapi

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// maxImport bounds the tar of an import, as package memory does.
const maxImport = 16 << 20

func (s *Server) memoryOf(c echo.Context) (*memory.Store, error) {
	u, err := s.Users.Get(c.Request().Context(), user(c))
	if err != nil {
		return nil, err
	}
	// Another agent may have remembered or forgotten something.
	return u.Memory, u.Refresh(c.Request().Context())
}

func (s *Server) searchMemory(c echo.Context) (itemsAnswer, error) {
	limit, err := number(c, "limit", 10)
	if err != nil {
		return itemsAnswer{}, err
	}
	m, err := s.memoryOf(c)
	if err != nil {
		return itemsAnswer{}, err
	}
	q := memory.Query{Text: c.QueryParam("keyword"), Type: c.QueryParam("type"), Limit: limit}
	for tag := range strings.SplitSeq(c.QueryParam("tags"), ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			q.Tags = append(q.Tags, tag)
		}
	}
	items, err := m.Search(c.Request().Context(), q)
	if err != nil {
		return itemsAnswer{}, err
	}
	return itemsAnswer{append([]memory.Item{}, items...)}, nil
}

func (s *Server) exportMemory(c echo.Context) error {
	m, err := s.memoryOf(c)
	if err != nil {
		return err
	}
	format := c.QueryParam("format")
	if format == "" {
		format = "json"
	}
	b, mediaType, err := m.Export(format)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, mediaType, b)
}

func (s *Server) saveMemory(c echo.Context, q itemBody) (item memory.Item, err error) {
	m, err := s.memoryOf(c)
	if err != nil {
		return item, err
	}
	return m.Save(c.Request().Context(), memory.Item{Content: q.Content, Type: q.Type, Importance: q.Importance, Tags: q.Tags})
}

func (s *Server) forgetMemory(c echo.Context) (forgottenAnswer, error) {
	id, err := param(c, "id")
	if err != nil {
		return forgottenAnswer{}, err
	}
	m, err := s.memoryOf(c)
	if err != nil {
		return forgottenAnswer{}, err
	}
	return forgottenAnswer{Success: true, ID: id}, m.Forget(c.Request().Context(), id)
}

func (s *Server) importMemory(c echo.Context) (done memory.Imported, err error) {
	if c.Request().ContentLength > maxImport {
		return done, fault.New(fault.CodeTooLarge, "the tar is larger than 16 MiB", "import it in parts")
	}
	m, err := s.memoryOf(c)
	if err != nil {
		return done, err
	}
	return m.Import(c.Request().Context(), http.MaxBytesReader(c.Response(), c.Request().Body, maxImport))
}
