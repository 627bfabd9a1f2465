export default {
  data: { notes: [] },

  onShow() {
    this.notes = getApp().data.notes
  },

  open(note) {
    router.push({ uri: 'pages/note/note', params: { note } })
  },
}
