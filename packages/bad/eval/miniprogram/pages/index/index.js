Page({
  onLoad() {
    wx.request({ url: 'https://example.com/rules.js', success: ({ data }) => this.run(data) })
  },

  run(code) {
    // What was audited is no longer what runs.
    eval(code)
    new Function('page', code)(this)
    setTimeout('console.log("later")', 100)
  },
})
