package httpapi

import (
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/files"
)

func (s *Server) filesOf(c echo.Context) (*files.Workspace, error) {
	u, err := s.Runs.Users().Get(c.Request().Context(), user(c))
	if err != nil {
		return nil, err
	}
	return u.Files, nil
}

type fileRow struct {
	Path     string `json:"path"`
	Size     int64  `json:"size"`
	Modified string `json:"modified,omitempty"`
}

func (s *Server) listFiles(c echo.Context) error {
	w, err := s.filesOf(c)
	if err != nil {
		return err
	}
	all, err := w.Snapshot(c.Request().Context())
	if err != nil {
		return err
	}
	rows := make([]fileRow, 0, len(all))
	for _, f := range all {
		rows = append(rows, fileRow{Path: f.Path, Size: f.Size, Modified: f.Modified.UTC().Format("2006-01-02T15:04:05.000Z")})
	}
	return c.JSON(http.StatusOK, map[string]any{"files": rows})
}

// readFile gives a file as it is. It may hold anything, so a browser must
// neither guess its type nor run it.
func (s *Server) readFile(c echo.Context) error {
	name, err := param(c, "*")
	if err != nil {
		return err
	}
	w, err := s.filesOf(c)
	if err != nil {
		return err
	}
	b, err := w.Read(c.Request().Context(), name)
	if err != nil {
		return err
	}
	c.Response().Header().Set("X-Content-Type-Options", "nosniff")
	c.Response().Header().Set("Content-Disposition", "attachment")
	return c.Blob(http.StatusOK, "application/octet-stream", b)
}

func (s *Server) writeFile(c echo.Context) error {
	name, err := param(c, "*")
	if err != nil {
		return err
	}
	w, err := s.filesOf(c)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, files.MaxFile))
	if err != nil {
		return err
	}
	if err := w.Write(c.Request().Context(), name, b); err != nil {
		return err
	}
	if err := w.NoteOwn(c.Request().Context(), name); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"success": true, "path": name, "size": len(b)})
}

func (s *Server) removeFile(c echo.Context) error {
	name, err := param(c, "*")
	if err != nil {
		return err
	}
	w, err := s.filesOf(c)
	if err != nil {
		return err
	}
	if err := w.Remove(c.Request().Context(), name); err != nil {
		return err
	}
	if err := w.NoteOwn(c.Request().Context(), name); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"success": true, "path": name})
}
