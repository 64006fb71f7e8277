package httpapi

import (
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/agent/runs"
)

func (s *Server) filesOf(c echo.Context) (*files.Workspace, error) {
	u, err := s.Users.Get(c.Request().Context(), user(c))
	if err != nil {
		return nil, err
	}
	return u.Files, nil
}

func (s *Server) listFiles(c echo.Context) (filesAnswer, error) {
	w, err := s.filesOf(c)
	if err != nil {
		return filesAnswer{}, err
	}
	all, err := w.Snapshot(c.Request().Context())
	rows := make([]fileRow, 0, len(all))
	for _, f := range all {
		rows = append(rows, fileRow{Path: f.Path, Size: f.Size, Modified: f.Modified.UTC().Format("2006-01-02T15:04:05.000Z")})
	}
	return filesAnswer{rows}, err
}

// fileOf returns the workspace, and which of its files the path names.
func (s *Server) fileOf(c echo.Context) (w *files.Workspace, name string, err error) {
	if name, err = param(c, "*"); err != nil {
		return nil, "", err
	}
	w, err = s.filesOf(c)
	return w, name, err
}

// readFile gives a file as it is.
func (s *Server) readFile(c echo.Context) error {
	w, name, err := s.fileOf(c)
	if err != nil {
		return err
	}
	b, err := w.Read(c.Request().Context(), name)
	if err != nil {
		return err
	}
	return download(c, "application/octet-stream", b)
}

// attached gives what a message brought along, as it was then. A hash names the same
// bytes for ever, so whoever has them need not ask again.
func attached(m *runs.Manager) func(echo.Context) error {
	return func(c echo.Context) error {
		id, err := sessionOf(c)
		if err != nil {
			return err
		}
		hash, err := param(c, "hash")
		if err != nil {
			return err
		}
		b, mediaType, err := runs.Attached(c.Request().Context(), m, user(c), id, hash)
		if err != nil {
			return err
		}
		c.Response().Header().Set("Cache-Control", "private, max-age=31536000, immutable")
		return download(c, mediaType, b)
	}
}

// download gives bytes that others wrote: they may hold anything, so a browser must
// neither guess their type nor run them.
func download(c echo.Context, mediaType string, b []byte) error {
	c.Response().Header().Set("X-Content-Type-Options", "nosniff")
	c.Response().Header().Set("Content-Disposition", "attachment")
	return c.Blob(http.StatusOK, mediaType, b)
}

func (s *Server) writeFile(c echo.Context) (fileWrittenAnswer, error) {
	w, name, err := s.fileOf(c)
	if err != nil {
		return fileWrittenAnswer{}, err
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, files.MaxFile))
	if err != nil {
		return fileWrittenAnswer{}, err
	}
	if err := w.Write(c.Request().Context(), name, b); err != nil {
		return fileWrittenAnswer{}, err
	}
	return fileWrittenAnswer{Success: true, Path: name, Size: len(b)}, w.NoteOwn(c.Request().Context(), name)
}

func (s *Server) removeFile(c echo.Context) (fileRemovedAnswer, error) {
	w, name, err := s.fileOf(c)
	if err != nil {
		return fileRemovedAnswer{}, err
	}
	if err := w.Remove(c.Request().Context(), name); err != nil {
		return fileRemovedAnswer{}, err
	}
	return fileRemovedAnswer{Success: true, Path: name}, w.NoteOwn(c.Request().Context(), name)
}
