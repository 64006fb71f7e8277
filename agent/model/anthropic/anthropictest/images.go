package anthropictest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	_ "image/gif" // the kinds that are taken
	_ "image/jpeg"
	_ "image/png"
	"slices"
)

// imageTypes are taken; WebP is, too, and is never sent.
var imageTypes = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}

// The limits of images.
const (
	maxImage      = 5 << 20 // of base64
	maxImages     = 100
	manyImages    = 20
	maxEdge       = 8000
	maxEdgeOfMany = 2000
)

// images refuses what is no image, or not of the type that it says.
func images(b *Body) *Refusal {
	count, edge := 0, 0
	for i, m := range b.Messages {
		for k, x := range m.Content {
			if kind(x) != "image" {
				continue
			}
			where := fmt.Sprintf("messages.%d.content.%d", i, k)
			if m.Role != "user" {
				return bad("%s: `image` blocks are not permitted within assistant turns", where)
			}
			size, refusal := oneImage(where, x)
			if refusal != nil {
				return refusal
			}
			count, edge = count+1, max(edge, size.Width, size.Height)
		}
	}
	switch {
	case count > maxImages:
		return bad("too many images and documents: %d + 0 > %d", count, maxImages)
	case edge > maxEdge:
		return bad("At least one of the image dimensions exceed max allowed size: 8000 pixels")
	case count > manyImages && edge > maxEdgeOfMany:
		return bad("At least one of the image dimensions exceed max allowed size for many-image requests: 2000 pixels")
	}
	return nil
}

func oneImage(where string, x map[string]any) (image.Config, *Refusal) {
	var none image.Config
	source, _ := x["source"].(map[string]any)
	media, _ := source["media_type"].(string)
	data, _ := source["data"].(string)
	for name := range x {
		if !slices.Contains([]string{"type", "source", "cache_control"}, name) {
			return none, bad("%s.image.%s: Extra inputs are not permitted", where, name)
		}
	}
	switch {
	case source["type"] != "base64":
		return none, bad("%s.image.source: Input tag '%v' found using 'type' does not match any of the expected tags", where, source["type"])
	case !slices.Contains(imageTypes, media):
		return none, bad("%s.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'", where)
	}
	body, err := base64.StdEncoding.Strict().DecodeString(data)
	switch {
	case err != nil || data == "":
		return none, bad("%s.image.source.base64: invalid base64 data", where)
	case len(data) > maxImage:
		return none, bad("%s.image.source.base64: image exceeds 5 MB maximum: %d bytes > %d bytes", where, len(data), maxImage)
	}
	size, found, err := image.DecodeConfig(bytes.NewReader(body))
	switch {
	case err != nil:
		return none, bad("Could not process image")
	case "image/"+found != media:
		return none, bad("%s.image.source.base64.media_type: Image does not match the provided media type %s", where, media)
	}
	return size, nil
}
