// Uploads straight to the bucket.
const credentials = {
  region: 'ap-east-1',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

module.exports = { credentials }
