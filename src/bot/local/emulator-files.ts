// Files that the bot uploaded: kept in memory, the oldest forgotten first.

import type { UploadedFile } from "./emulator-params.ts";
import { badRequest } from "./emulator-refusal.ts";
import type { DocumentFile, PhotoSize } from "./emulator-types.ts";

const keptBytesMax = 128 * 1024 * 1024;
const photoBytesMax = 10 * 1024 * 1024;
const photoSidesMax = 10_000;
const photoRatioMax = 20;
const downloadBytesMax = 20 * 1024 * 1024;

export interface StoredFile {
  readonly fileId: string;
  readonly path: string;
  readonly upload: UploadedFile;
  readonly size: { readonly width: number; readonly height: number } | null;
}

export class FileStore {
  #files = new Map<string, StoredFile>();
  #keptBytes = 0;
  #count = 0;

  addPhoto(upload: UploadedFile): StoredFile {
    if (upload.bytes.byteLength > photoBytesMax) {
      throw badRequest(
        `file "${upload.name}" of size ${upload.bytes.byteLength} bytes is too big for a photo`,
      );
    }
    const size = readImageSize(upload.bytes);
    if (size === null) throw badRequest("IMAGE_PROCESS_FAILED");
    const { width, height } = size;
    const ratio = Math.max(width, height) / Math.max(1, Math.min(width, height));
    if (width + height > photoSidesMax || ratio > photoRatioMax) {
      throw badRequest("PHOTO_INVALID_DIMENSIONS");
    }
    return this.#keep(upload, "photos", size);
  }

  addDocument(upload: UploadedFile): StoredFile {
    if (upload.bytes.byteLength === 0) throw badRequest("file must be non-empty");
    return this.#keep(upload, "documents", null);
  }

  get(fileId: string): StoredFile | undefined {
    return this.#files.get(fileId);
  }

  byPath(path: string): StoredFile | undefined {
    return [...this.#files.values()].find((file) => file.path === path);
  }

  /** The answer of getFile. */
  describe(fileId: string): Readonly<Record<string, unknown>> {
    const file = this.#files.get(fileId);
    if (file === undefined)
      throw badRequest("wrong file_id or the file is temporarily unavailable");
    if (file.upload.bytes.byteLength > downloadBytesMax) throw badRequest("file is too big");
    return {
      file_id: file.fileId,
      file_unique_id: uniqueIdOf(file),
      file_size: file.upload.bytes.byteLength,
      file_path: file.path,
    };
  }

  #keep(upload: UploadedFile, folder: string, size: StoredFile["size"]): StoredFile {
    this.#count += 1;
    const extension = /\.[A-Za-z0-9]{1,8}$/.exec(upload.name)?.[0] ?? ".png";
    const file: StoredFile = {
      fileId: `AgACAgQAAxk-${folder.slice(0, 5)}-${this.#count}`,
      path: `${folder}/file_${this.#count}${extension}`,
      upload,
      size,
    };
    this.#files.set(file.fileId, file);
    this.#keptBytes += upload.bytes.byteLength;
    for (const [fileId, oldest] of this.#files) {
      if (this.#keptBytes <= keptBytesMax) break;
      this.#files.delete(fileId);
      this.#keptBytes -= oldest.upload.bytes.byteLength;
    }
    return file;
  }
}

function uniqueIdOf(file: StoredFile): string {
  return `AQAD${file.fileId.slice(-8)}`;
}

/** The `photo` field of a message; the real server adds smaller sizes, of which no bot here makes use. */
export function photoSizesOf(file: StoredFile): readonly PhotoSize[] {
  const { width, height } = file.size ?? { width: 0, height: 0 };
  const file_size = file.upload.bytes.byteLength;
  return [{ file_id: file.fileId, file_unique_id: uniqueIdOf(file), file_size, width, height }];
}

/** The `document` field of a message. */
export function documentOf(file: StoredFile): DocumentFile {
  return {
    file_id: file.fileId,
    file_unique_id: uniqueIdOf(file),
    file_size: file.upload.bytes.byteLength,
    file_name: file.upload.name,
    mime_type: file.upload.mimeType || "application/octet-stream",
  };
}

/** Width and height from the header of a PNG or JPEG, or null for anything else. */
function readImageSize(bytes: Uint8Array): { width: number; height: number } | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength >= 24 && view.getUint32(0) === 0x89504e47) {
    return { width: view.getUint32(16), height: view.getUint32(20) };
  }
  if (bytes.byteLength < 4 || view.getUint16(0) !== 0xffd8) return null;
  let at = 2;
  while (at + 9 < bytes.byteLength) {
    const marker = view.getUint16(at);
    const isFrame =
      marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);
    if (isFrame) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}
