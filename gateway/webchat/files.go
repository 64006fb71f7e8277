//go:build !js

package webchat

import (
	"embed"
	"io/fs"
)

//go:embed dist
var embedded embed.FS

// Files gives the built page: index.html, licenses.txt and what index.html
// names in assets. A name in assets holds a hash of its content and never
// changes its meaning; index.html does.
func Files() fs.FS {
	files, err := fs.Sub(embedded, "dist")
	if err != nil {
		panic(err) // the name is a constant and valid
	}
	return files
}
